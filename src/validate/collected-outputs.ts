/** The teacher's collected texts as outputs with the scores of the judge that chose the training texts. */

import type { Collected } from '../collect/collected.ts';
import { togetherOf } from '../collect/judgement-of.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { GenerationLine } from './generations.ts';
import { COLLECTED_ARM, type RatedOutput } from './ratings.ts';
import type { ScoredItem } from './scored-item.ts';

export type CollectedOutput = RatedOutput & Pick<GenerationLine, 'doc_id' | 'genre' | 'audience'>;

/** Of `reformulate` or a stage of the recipe's own. Texts without a judgement are left out: nothing was decided by them. Both lists have one order. */
export function collectedOutputs(
  stage: string,
  collected: Collected,
): { outputs: CollectedOutput[]; items: ScoredItem[] } {
  const { texts, judgements, answers, judgedAnswers, teacher } = collected;
  const written =
    stage === reformulateStage.name
      ? [...texts].map(([item, { docId, pair, text }]) => ({ item, docId, text, ...pair }))
      : [...(answers.get(stage) ?? [])].map(([docId, { text }]) => ({ item: docId, docId, text }));
  const given = stage === reformulateStage.name ? judgements : judgedAnswers.get(stage)?.judgements;
  const judged = written.flatMap(({ item, docId, ...text }) => {
    const score = togetherOf(given?.get(item) ?? [])?.score;
    const of = { arm: COLLECTED_ARM, model: teacher, stage, doc_id: docId, item };
    return score === undefined ? [] : [{ output: { ...of, ...text }, scored: { ...of, score } }];
  });
  return { outputs: judged.map(({ output }) => output), items: judged.map(({ scored }) => scored) };
}
