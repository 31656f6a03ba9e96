/** Did the students see validation documents in training? Runs of words that documents of both splits share. */

import { wordGrams, words } from '../corpus/words.ts';
import type { SourceDocument } from '../stage/stage.ts';

export interface Contamination {
  documents: number;
  /** Validation documents of which more than SUSPECT of the runs occur in one training document, worst first. */
  suspects: { doc_id: string; train_doc_id: string; share: number }[];
}

/** Words of a run: the length usual for such checks since GPT-3 (Brown et al. 2020, appendix C); shorter runs meet by chance. */
const RUN = 13;
/** Quotations and boilerplate stay below. */
const SUSPECT = 0.1;

export function contamination(train: readonly SourceDocument[], validation: readonly SourceDocument[]): Contamination {
  const places = new Map<string, Set<string>>();
  for (const { id, text } of train) {
    for (const run of wordGrams(words(text), RUN)) {
      const found = places.get(run) ?? new Set();
      places.set(run, found);
      found.add(id);
    }
  }
  const suspects = validation.flatMap(({ id, text }) => {
    const runs = wordGrams(words(text), RUN);
    const counts = new Map<string, number>();
    for (const run of runs) for (const place of places.get(run) ?? []) counts.set(place, (counts.get(place) ?? 0) + 1);
    const [worst] = [...counts].sort((a, b) => b[1] - a[1]);
    const share = worst ? worst[1] / runs.length : 0;
    return share > SUSPECT ? [{ doc_id: id, train_doc_id: worst![0], share }] : [];
  });
  return { documents: validation.length, suspects: suspects.sort((a, b) => b.share - a.share) };
}
