/** Gwet's AC2 with quadratic weights: agreement beyond chance that does not collapse when nearly all texts score alike, as kappa does. */

import { LEVELS } from './confusion.ts';

/**
 * AC2 = (p_a - p_e) / (1 - p_e) (Gwet 2014, 4th edition, 6.4), with weights w_kl = 1 - (k - l)^2 / (q - 1)^2:
 *
 *   p_a = mean over units with two ratings and more of sum_k r_ik (sum_l w_kl r_il - 1) / (r_i (r_i - 1))
 *   p_e = sum(w) / (q (q - 1)) sum_k pi_k (1 - pi_k),  pi_k = mean over units of r_ik / r_i
 *
 * @param sum `agreementParts` summed over units
 */
export function gwetAc2(sum: ArrayLike<number>): number {
  const [agreed, rated, units] = [sum[0]!, sum[1]!, sum[2]!];
  if (rated === 0) return Number.NaN;
  let weights = 0;
  let spread = 0;
  for (let k = 0; k < LEVELS; k++) {
    const share = sum[3 + k]! / units;
    spread += share * (1 - share);
    for (let l = 0; l < LEVELS; l++) weights += weight(k, l);
  }
  const chance = (weights / (LEVELS * (LEVELS - 1))) * spread;
  return (agreed / rated - chance) / (1 - chance);
}

/** One unit's part (ratings 1..5): [agreement, 1 if it has two ratings and more, 1, share of each level]. */
export function agreementParts(ratings: readonly number[]): Float64Array {
  const parts = new Float64Array(3 + LEVELS);
  if (ratings.length === 0) return parts;
  parts[2] = 1;
  for (const rating of ratings) parts[2 + rating]! += 1 / ratings.length;
  if (ratings.length < 2) return parts;
  parts[1] = 1;
  for (const [a, first] of ratings.entries())
    for (const [b, second] of ratings.entries())
      if (a !== b) parts[0]! += weight(first, second) / (ratings.length * (ratings.length - 1));
  return parts;
}

const weight = (k: number, l: number) => 1 - (k - l) ** 2 / (LEVELS - 1) ** 2;
