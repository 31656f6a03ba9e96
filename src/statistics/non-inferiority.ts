/** The question a user asks: is the student at most `margin` worse than the teacher? */

import { normalQuantile } from './normal.ts';
import type { PairedDifference } from './paired-difference.ts';
import { studentTQuantile } from './student-t.ts';

export type Verdict = 'pass' | 'fail' | 'undecided';

export interface NonInferiority {
  verdict: Verdict;
  /** Further documents that would probably decide; undefined where the verdict stands or the difference lies on the margin. */
  documentsNeeded?: number;
}

/** Confidence of the two-sided interval whose bounds are one-sided at 95%. */
export const VERDICT_LEVEL = 0.9;

/**
 * pass: the one-sided 95% lower bound of the difference lies above -margin, and so does the score bound, whose variance is taken around -margin itself:
 *
 *   gap / sqrt(deviation^2 / k + gap^2 / (k - 1)) > t(0.95, k - 1),   gap = difference + margin
 *
 * (Without it a student at the margin passed 7% of the simulated tables of 20 documents.) fail: the upper bound lies below -margin. Else undecided, and 80% power
 * needs in all
 *
 *   k = (z(0.95) + z(0.80))^2 deviation^2 / gap^2   documents,
 *
 * gap = margin (true difference 0; Chow, Shao and Wang 2008, 3.1, with documents in place of items); where as many are there already, gap = |difference + margin|,
 * the truth taken to be what was seen.
 *
 * @param paired the difference with its interval at VERDICT_LEVEL
 * @param margin as a share: 0.03 is 3 points
 */
export function nonInferiority(paired: PairedDifference, margin: number, documents: number): NonInferiority {
  const [low, high] = paired.interval;
  const gap = paired.difference + margin;
  const scoreError = Math.sqrt(paired.deviation ** 2 / documents + gap ** 2 / (documents - 1));
  if (low > -margin && gap > scoreError * studentTQuantile(0.95, documents - 1)) return { verdict: 'pass' };
  if (high < -margin) return { verdict: 'fail' };
  const scale = (normalQuantile(0.95) + normalQuantile(0.8)) * paired.deviation;
  const enough = [margin, Math.abs(paired.difference + margin)]
    .map((gap) => Math.ceil((scale / gap) ** 2))
    .find((count) => count > documents);
  return enough !== undefined && Number.isFinite(enough)
    ? { verdict: 'undecided', documentsNeeded: enough - documents }
    : { verdict: 'undecided' };
}
