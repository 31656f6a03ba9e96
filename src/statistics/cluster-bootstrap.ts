/** Bootstrap over whole documents, for any statistic that is a function of sums over documents. */

import type { RandomStream } from '../foundation/random.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import type { Interval } from './wilson.ts';

export interface BootstrapOptions {
  random: RandomStream;
  /** At least 2,000 for a 95% interval to be steady. */
  resamples: number;
  level?: number;
}

export interface BootstrapResult {
  estimate: number;
  /** Bias-corrected and accelerated; NaN twice where the statistic is undefined on the data. */
  interval: Interval;
}

/**
 * Draws as many documents as there are, with replacement, `resamples` times, and gives the BCa interval (Efron 1987; Efron and Tibshirani 1993, ch. 14).
 *
 * @param clusters one vector a document (say, numerator and denominator, or a confusion matrix row by row), all of one length
 * @param statistic of the summed vector; resamples where it is NaN are left out
 */
export function clusterBootstrap(
  clusters: readonly ArrayLike<number>[],
  statistic: (sum: Float64Array) => number,
  options: BootstrapOptions,
): BootstrapResult {
  const { random, resamples, level = 0.95 } = options;
  const width = clusters[0]?.length ?? 0;
  const flat = Float64Array.from(clusters.flatMap((cluster) => Array.from(cluster)));
  const total = sumOf(flat, width);
  const estimate = statistic(total);
  const replicates = new Float64Array(resamples);
  const sum = new Float64Array(width);
  for (let b = 0; b < resamples; b++) {
    sum.fill(0);
    for (let i = 0; i < clusters.length; i++) {
      const at = random.integer(clusters.length) * width;
      for (let j = 0; j < width; j++) sum[j]! += flat[at + j]!;
    }
    replicates[b] = statistic(sum);
  }
  const jackknife = clusters.map((_, i) => statistic(total.map((value, j) => value - flat[i * width + j]!)));
  return { estimate, interval: bcaInterval(estimate, replicates, jackknife, level) };
}

function sumOf(flat: Float64Array, width: number): Float64Array {
  const total = new Float64Array(width);
  for (let i = 0; i < flat.length; i++) total[i % width]! += flat[i]!;
  return total;
}

/**
 * The BCa interval: percentiles of the replicates at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), where
 *
 *   z0 = Phi^-1(share of replicates below the estimate, ties counted half)
 *   a  = sum(u_i^3) / (6 (sum u_i^2)^(3/2)),   u_i = mean of the jackknife values - i-th jackknife value
 */
export function bcaInterval(
  estimate: number,
  replicates: Float64Array,
  jackknife: readonly number[],
  level: number,
): Interval {
  const sorted = replicates.filter((value) => !Number.isNaN(value)).sort();
  if (Number.isNaN(estimate) || sorted.length === 0) return [Number.NaN, Number.NaN];
  let below = 0;
  for (const value of sorted) below += value < estimate ? 1 : value === estimate ? 0.5 : 0;
  const share = below / sorted.length;
  // With every replicate on one side z0 would be infinite; half a replicate keeps it finite.
  const z0 = normalQuantile(Math.min(Math.max(share, 0.5 / sorted.length), 1 - 0.5 / sorted.length));
  const acceleration = accelerationOf(jackknife.filter((value) => !Number.isNaN(value)));
  const bound = (p: number) => {
    const z = z0 + normalQuantile(p);
    return quantile(sorted, normalCdf(z0 + z / (1 - acceleration * z)));
  };
  return [bound((1 - level) / 2), bound((1 + level) / 2)];
}

function accelerationOf(jackknife: readonly number[]): number {
  const mean = jackknife.reduce((sum, value) => sum + value, 0) / jackknife.length;
  let squares = 0;
  let cubes = 0;
  for (const value of jackknife) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  // Differences at rounding size are no skewness.
  return squares > 1e-24 ? cubes / (6 * squares ** 1.5) : 0;
}

/** Linear interpolation between order statistics (Hyndman and Fan 1996, type 7). */
export function quantile(sorted: Float64Array, p: number): number {
  const at = p * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!);
}
