/** Krippendorff's alpha for ordinal ratings: any number of raters, ratings may be missing. */

import { LEVELS } from './confusion.ts';

/**
 * alpha = 1 - D_o / D_e over the coincidence matrix o (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"):
 *
 *   D_o = sum o_ck delta^2_ck,  D_e = sum n_c n_k delta^2_ck / (n - 1),  delta_ck = sum of n_g for g = c..k, less (n_c + n_k) / 2
 *
 * @param coincidence row by row, summed over units: see `coincidences`
 */
export function ordinalAlpha(coincidence: ArrayLike<number>): number {
  const margin = new Array<number>(LEVELS).fill(0);
  for (let i = 0; i < LEVELS * LEVELS; i++) margin[Math.floor(i / LEVELS)]! += coincidence[i]!;
  const n = margin.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  let expected = 0;
  for (let c = 0; c < LEVELS; c++) {
    for (let k = c + 1; k < LEVELS; k++) {
      const between = margin.slice(c, k + 1).reduce((sum, count) => sum + count, 0);
      const distance = (between - (margin[c]! + margin[k]!) / 2) ** 2;
      seen += coincidence[c * LEVELS + k]! * distance;
      expected += (margin[c]! * margin[k]! * distance) / (n - 1);
    }
  }
  return expected > 0 ? 1 - seen / expected : Number.NaN;
}

/** The coincidence matrix of one unit's ratings (1..5): each ordered pair of two raters counts 1 / (ratings - 1). One rating alone says nothing. */
export function coincidences(ratings: readonly number[]): Float64Array {
  const matrix = new Float64Array(LEVELS * LEVELS);
  for (const [a, first] of ratings.entries())
    for (const [b, second] of ratings.entries())
      if (a !== b) matrix[(first - 1) * LEVELS + second - 1]! += 1 / (ratings.length - 1);
  return matrix;
}
