/** Drops samples that nearly repeat an earlier sample of their stage. */

import { nearDuplicates } from '../corpus/near-duplicates.ts';
import { type DecidedStage, type Decision, keptOf } from './decision.ts';
import { groupBy } from './group-by.ts';
import type { Candidate } from './samples.ts';

/** Among the samples kept so far, each that shares `similarity` or more of its 5-word runs with an earlier one is dropped. */
export function dropNearDuplicates(stage: DecidedStage, decisions: Decision[], similarity: number): void {
  // The same text judged against two documents is two samples, and so is the same label of two.
  const writes = stage.prose || stage.name === 'pairs';
  const scope = ({ row }: Candidate) => (writes ? '' : row.doc_id);
  // A spoilt text is meant to be close to the good one.
  const written = keptOf(decisions).filter(({ candidate }) => candidate.origin !== 'made');
  const groups = groupBy(written, ({ candidate }) => scope(candidate));
  for (const group of groups.values()) {
    const duplicates = nearDuplicates(
      group.map(({ candidate: { row, text } }) => ({ id: row.id, text })),
      similarity,
    );
    for (const decision of group) {
      const found = duplicates.get(decision.candidate.row.id);
      if (!found) continue;
      decision.dropped = {
        rule: 'near-duplicate',
        reason: `${Math.round(100 * found.similarity)}% of its 5-word runs are those of ${found.of}`,
      };
    }
  }
}
