/** One score of several judgements. */

import type { Score } from './judge.ts';

/** The median; of an even number the lower of both in the middle, since it has to be one of the five. */
export function medianScore(scores: readonly Score[]): Score {
  const sorted = [...scores].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
