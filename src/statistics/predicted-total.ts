/** Predicts a total from a sample of clusters (documents), with an interval: what the rest of a corpus will cost. */

import { studentTQuantile } from './student-t.ts';

/** What one document of the sample had: `y` of what is predicted, for `x` units of what is known of every document. */
export interface ClusterSum {
  y: number;
  x: number;
}

export interface PredictedTotal {
  estimate: number;
  /** Half the width of the prediction interval; infinite where one document, or none, tells no spread. */
  halfWidth: number;
}

/**
 * The total of y over `clusters` further documents that have `x` in all, by the ratio estimator (Cochran 1977, ch. 6) with
 * whole documents as the unit:
 *
 *   T = x r,  r = sum(y_d) / sum(x_d),  v_d = (y_d - r x_d) (x / clusters) / mean(x_d)
 *   T -+ t(n - 1) s sqrt(N^2 / n + N),  s^2 = sum(v_d^2) / (n - 1)
 *
 * N^2 / n is the doubt about r, N the spread of the N documents themselves.
 *
 * @param sample one entry a document, drawn at random
 * @param level of the interval
 */
export function predictedTotal(
  sample: readonly ClusterSum[],
  x: number,
  clusters: number,
  level = 0.95,
): PredictedTotal {
  const n = sample.length;
  const sumX = sample.reduce((sum, one) => sum + one.x, 0);
  if (x === 0 || clusters === 0) return { estimate: 0, halfWidth: 0 };
  if (sumX === 0) return { estimate: Number.NaN, halfWidth: Number.POSITIVE_INFINITY };
  const ratio = sample.reduce((sum, one) => sum + one.y, 0) / sumX;
  const estimate = x * ratio;
  if (n < 2) return { estimate, halfWidth: Number.POSITIVE_INFINITY };
  const scale = x / clusters / (sumX / n);
  const squares = sample.reduce((sum, one) => sum + (scale * (one.y - ratio * one.x)) ** 2, 0);
  const spread = Math.sqrt((squares / (n - 1)) * (clusters ** 2 / n + clusters));
  return { estimate, halfWidth: studentTQuantile((1 + level) / 2, n - 1) * spread };
}
