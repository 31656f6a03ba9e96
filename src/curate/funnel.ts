/** How many answers of a stage became training samples, and what became of the others. */

import type { Collected } from '../collect/collected.ts';
import type { StageName } from '../stage/stage.ts';
import type { Decision } from './decision.ts';
import { TRAINING_SPLITS } from './samples.ts';

export interface StageFunnel {
  /** Requests for training and dev documents that were answered or given up. */
  collected: number;
  /** Answers the stage's parser accepted. */
  parsed: number;
  kept: number;
  /** Hard negatives that curate made itself, for the stage `judge`. */
  made?: number;
  /** Dropped samples by rule; they and `kept` add up to `parsed` and `made`. */
  dropped: Record<string, number>;
  /** Kept samples of each split. */
  train: number;
  dev: number;
}

export function funnel(stage: StageName, decisions: readonly Decision[], collected: Collected): StageFunnel {
  const documents = new Set(TRAINING_SPLITS.flatMap((split) => collected.splits[split]));
  const failed = collected.failures.filter((failure) => failure.stage === stage && documents.has(failure.docId)).length;
  const dropped: Record<string, number> = {};
  const kept = { train: 0, dev: 0 };
  for (const { candidate, dropped: found } of decisions) {
    if (found) dropped[found.rule] = (dropped[found.rule] ?? 0) + 1;
    else kept[candidate.split]++;
  }
  const made = decisions.filter(({ candidate }) => candidate.origin === 'made').length;
  return {
    collected: decisions.length - made + failed,
    parsed: decisions.length - made,
    ...(made > 0 ? { made } : {}),
    kept: kept.train + kept.dev,
    dropped: Object.fromEntries(Object.entries(dropped).sort(([, a], [, b]) => b - a)),
    ...kept,
  };
}
