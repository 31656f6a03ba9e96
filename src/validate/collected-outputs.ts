/** The teacher's collected texts as outputs with the scores of the judge that chose the training texts. */

import type { Collected } from '../collect/collected.ts';
import { togetherOf } from '../collect/judgement-of.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { GenerationLine } from './generations.ts';
import { COLLECTED_ARM, type RatedOutput } from './ratings.ts';
import type { ScoredItem } from './scored-item.ts';

export type CollectedOutput = RatedOutput & Pick<GenerationLine, 'doc_id' | 'genre' | 'audience'>;

/** Texts without a judgement are left out: nothing was decided by them. Both lists have one order. */
export function collectedOutputs({ texts, judgements, teacher }: Collected): {
  outputs: CollectedOutput[];
  items: ScoredItem[];
} {
  const judged = [...texts].flatMap(([item, { docId, pair, text }]) => {
    const score = togetherOf(judgements.get(item) ?? [])?.score;
    const of = { arm: COLLECTED_ARM, model: teacher, stage: reformulateStage.name, doc_id: docId, item };
    return score === undefined ? [] : [{ output: { ...of, ...pair, text }, scored: { ...of, score } }];
  });
  return { outputs: judged.map(({ output }) => output), items: judged.map(({ scored }) => scored) };
}
