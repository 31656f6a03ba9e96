/** Wilson's score interval, for items that may come in clusters. */

import { type BinaryCluster, designEffect } from './design-effect.ts';
import { normalQuantile } from './normal.ts';
import { studentTQuantile } from './student-t.ts';

export type Interval = [low: number, high: number];

/**
 * Wilson 1927: with n items, share p and critical value z,
 *
 *   (p + z^2 / 2n  +-  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
 *
 * @param n items; need not be whole (an effective sample size)
 */
export function wilsonInterval(p: number, n: number, critical = normalQuantile(0.975)): Interval {
  if (n <= 0 || !Number.isFinite(critical)) return [0, 1];
  const square = critical ** 2 / n;
  const middle = p + square / 2;
  const half = Math.sqrt(square * (p * (1 - p) + square / 4));
  return [Math.max(0, (middle - half) / (1 + square)), Math.min(1, (middle + half) / (1 + square))];
}

export interface ClusteredRate {
  rate: number;
  interval: Interval;
  designEffect: number;
}

/**
 * A share of items that come in documents: Wilson on n / design effect, with the t quantile of documents - 1 degrees of freedom because the design effect is itself
 * estimated (Korn and Graubard 1998; compared in Franco, Little, Louis and Slud 2019).
 */
export function clusteredRate(clusters: readonly BinaryCluster[], level = 0.95): ClusteredRate {
  const filled = clusters.filter((cluster) => cluster.total > 0);
  const total = filled.reduce((sum, cluster) => sum + cluster.total, 0);
  if (total === 0) return { rate: Number.NaN, interval: [0, 1], designEffect: 1 };
  const rate = filled.reduce((sum, cluster) => sum + cluster.successes, 0) / total;
  const effect = designEffect(filled);
  const critical = studentTQuantile((1 + level) / 2, filled.length - 1);
  return { rate, interval: wilsonInterval(rate, total / effect, critical), designEffect: effect };
}
