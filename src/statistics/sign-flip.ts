/** The table's primary test: would exchanging the two arms' answers, a whole document at a time, give a difference as large? */

import { normalCdf } from './normal.ts';

/**
 * Two-sided p value of the sign-flip permutation test (Fisher 1935, ch. 3). Under the null hypothesis the two arms are exchangeable within a document, so each of
 * the 2^k sign patterns of the documents' differences d_i is as likely as the one seen:
 *
 *   p = P(|sum s_i d_i| >= |sum d_i|),   s_i = +1 or -1 with probability 1/2
 *
 * The differences are whole numbers (counts, or sums of scores), so the distribution of the sum is computed exactly, one convolution a document.
 *
 * @param differences whole numbers, one a document
 */
export function signFlipTest(differences: readonly number[]): number {
  if (!differences.every(Number.isSafeInteger)) throw new TypeError('Sign flips need whole differences');
  const moved = differences.filter((difference) => difference !== 0).map(Math.abs);
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const range = moved.reduce((sum, difference) => sum + difference, 0);
  if (observed === 0) return 1;
  if (range * moved.length > EXACT_WORK) {
    const spread = Math.sqrt(moved.reduce((sum, difference) => sum + difference ** 2, 0));
    return 2 * normalCdf(-observed / spread);
  }
  // chance[s] = probability that the flipped documents add up to s; sum(s_i d_i) = range - 2 s.
  const chance = new Float64Array(range + 1);
  chance[0] = 1;
  let reach = 0;
  for (const difference of moved) {
    reach += difference;
    for (let s = reach; s >= 0; s--) chance[s] = 0.5 * (chance[s]! + (s >= difference ? chance[s - difference]! : 0));
  }
  let p = 0;
  for (let s = 0; s <= range; s++) if (Math.abs(range - 2 * s) >= observed) p += chance[s]!;
  return Math.min(1, p);
}

/** Beyond this many additions (about a second) there are ten thousands of documents, and the normal limit is exact to three digits. */
const EXACT_WORK = 1e9;
