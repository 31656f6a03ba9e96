/** How sure a judge is of the side of 3 it puts a text on: the side that Rate(>=3) reads. */

import { fitLogistic, type Logistic, logisticAt } from '../statistics/logistic.ts';
import type { ScoredPair } from './agreement.ts';
import type { Judge, JudgedText } from './judge.ts';

export interface SureScore {
  level: number;
  /** Probability that the reference judge puts the text on the same side of 3. */
  sureness: number;
}

/** A held-out text with the reference judge's score. */
export type SurePair = ScoredPair & { sureness: number };

/** A judge that tells how sure it is. */
export interface SureJudge extends Judge {
  scoreSurely(items: readonly JudgedText[], signal: AbortSignal): Promise<SureScore[]>;
  /** Texts of documents the judge knows nothing of: whether it may be as sure as it is. */
  readonly heldOut: readonly SurePair[];
}

const PASSING_SCORE = 3;

/**
 * The probability that the reference judge passes a text, by the judge's own expected score.
 *
 * @param texts of documents the expected scores were not fitted on
 */
export function fitSureness(texts: readonly { expected: number; score: number; weight: number }[]): Logistic {
  return fitLogistic(texts.map(({ expected, score, weight }) => ({ x: expected, y: score >= PASSING_SCORE, weight })));
}

export function surenessOf(passing: Logistic, expected: number, level: number): number {
  const passes = logisticAt(passing, expected);
  return level >= PASSING_SCORE ? passes : 1 - passes;
}
