/** From an expected score to a level 1..5: where to cut. */

import { LEVELS } from '../statistics/confusion.ts';
import { weightedKappa } from '../statistics/weighted-kappa.ts';

/** An expected score with the level the reference judge gave. */
export interface Calibration {
  expected: number;
  score: number;
  weight: number;
}

/** Points of kappa that a point of error in Rate(>=3) is worth: the rate is what the table is read for. */
const RATE_PENALTY = 1.5;
const SWEEPS = 3;
const CANDIDATES = 60;

/** The level of an expected score: 1 + the number of cut points at or below it. */
export function levelOf(expected: number, cuts: readonly number[]): number {
  return 1 + cuts.filter((cut) => expected >= cut).length;
}

/**
 * Four cut points that maximise quadratic-weighted kappa less a penalty on the error in Rate(>=3), by coordinate search from 1.5, 2.5, 3.5, 4.5. Rounding at the
 * halves alone scores weak texts too high: expected scores shrink towards the middle.
 */
export function fitCutPoints(rows: readonly Calibration[]): number[] {
  const sorted = rows.map((row) => row.expected).sort((a, b) => a - b);
  const candidates = Array.from(
    { length: CANDIDATES },
    (_, i) => sorted[Math.floor((i * sorted.length) / CANDIDATES)]!,
  );
  let cuts = [1.5, 2.5, 3.5, 4.5];
  let best = quality(rows, cuts);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 0; i < cuts.length; i++) {
      for (const candidate of candidates) {
        if (candidate < (cuts[i - 1] ?? -Infinity) || candidate > (cuts[i + 1] ?? Infinity)) continue;
        const moved = cuts.with(i, candidate);
        const value = quality(rows, moved);
        if (value > best + 1e-9) [best, cuts] = [value, moved];
      }
    }
  }
  return cuts;
}

function quality(rows: readonly Calibration[], cuts: readonly number[]): number {
  const confusion = new Float64Array(LEVELS * LEVELS);
  let excess = 0;
  let total = 0;
  for (const { expected, score, weight } of rows) {
    const level = levelOf(expected, cuts);
    confusion[(score - 1) * LEVELS + level - 1]! += weight;
    excess += weight * (Number(level >= 3) - Number(score >= 3));
    total += weight;
  }
  const kappa = weightedKappa(confusion);
  return (Number.isNaN(kappa) ? 0 : kappa) - RATE_PENALTY * Math.abs(excess / total);
}
