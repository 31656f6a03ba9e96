/** Does the judge reward length? Passing against the logarithm of the number of words, arms held apart. */

import { randomStream } from '../foundation/random.ts';
import { clusterBootstrap } from '../statistics/cluster-bootstrap.ts';
import type { Interval } from '../statistics/wilson.ts';
import { PASSING_SCORE, type ScoredItem } from './scored-item.ts';

export interface LengthEffect {
  /** Share of texts more that pass for each doubling of length, within an arm. */
  slope: number;
  slope_ci: Interval;
  rows: { arm: string; model: string; words: number; diff: number; diff_at_equal_length: number }[];
}

/** Sums of one arm: n, x, y, xy, xx, with x = log2(words) and y = passed. */
const SUMS = 5;

/**
 * Least squares with an intercept an arm (analysis of covariance):
 *
 *   slope = sum over arms of (Sxy - Sx Sy / n) / sum over arms of (Sxx - Sx^2 / n)
 *   Diff at equal length = Diff - slope (mean x of the arm - mean x of the reference)
 *
 * Over scored texts of known length only. Undefined where there are none, or all are equally long.
 */
export function lengthEffect(
  items: readonly ScoredItem[],
  reference: string,
  { seed, resamples }: { seed: number; resamples: number },
): LengthEffect | undefined {
  const scored = items.filter((item) => item.score !== null && (item.words ?? 0) > 0);
  const arms = [...new Set(scored.map(armKey))];
  const documents = new Map<string, Float64Array>();
  for (const item of scored) {
    const sums = documents.get(item.doc_id) ?? new Float64Array(SUMS * arms.length);
    documents.set(item.doc_id, sums);
    const at = SUMS * arms.indexOf(armKey(item));
    const x = Math.log2(item.words!);
    const y = Number(item.score! >= PASSING_SCORE);
    for (const [i, value] of [1, x, y, x * y, x * x].entries()) sums[at + i]! += value;
  }
  if (documents.size < 2) return undefined;
  const options = { random: randomStream(seed, 'length'), resamples };
  const { estimate, interval } = clusterBootstrap([...documents.values()], slopeOf, options);
  if (!Number.isFinite(estimate)) return undefined;
  const total = new Float64Array(SUMS * arms.length);
  for (const sums of documents.values()) for (let i = 0; i < total.length; i++) total[i]! += sums[i]!;
  const meansOf = (index: number) => {
    const n = total[SUMS * index]!;
    return { x: total[SUMS * index + 1]! / n, y: total[SUMS * index + 2]! / n };
  };
  const standard = meansOf(
    Math.max(
      0,
      arms.findIndex((key) => key.startsWith(`${reference}\u0000`)),
    ),
  );
  const rows = arms.map((key, index) => {
    const [arm, model] = key.split('\u0000') as [string, string];
    const { x, y } = meansOf(index);
    const diff = y - standard.y;
    return { arm, model, words: 2 ** x, diff, diff_at_equal_length: diff - estimate * (x - standard.x) };
  });
  return { slope: estimate, slope_ci: interval, rows };
}

const armKey = ({ arm, model }: ScoredItem) => `${arm}\u0000${model}`;

function slopeOf(sum: Float64Array): number {
  let together = 0;
  let spread = 0;
  for (let at = 0; at < sum.length; at += SUMS) {
    const [n, x, y, xy, xx] = sum.subarray(at, at + SUMS) as unknown as [number, number, number, number, number];
    if (n === 0) continue;
    together += xy - (x * y) / n;
    spread += xx - (x * x) / n;
  }
  return spread > 1e-9 ? together / spread : Number.NaN;
}
