/** Is the distilled judge better than the local one? Alone and with it, on texts of documents neither learned from. */

import { randomStream } from '../foundation/random.ts';
import { fitIsotonic, type Isotonic, type IsotonicPoint, isotonicAt } from '../statistics/isotonic.ts';
import { kappaDifference } from '../statistics/kappa-difference.ts';
import type { Logistic } from '../statistics/logistic.ts';
import type { Interval } from '../statistics/wilson.ts';
import { type AgreementOptions, agreement, HARD_KINDS, type ScoredPair } from './agreement.ts';
import { type Calibration, fitCutPoints, levelOf } from './cut-points.ts';
import { fitSureness, type SureScore, surenessOf } from './sureness.ts';

/** A text with the reference judge's score and what both judges make of it. */
export interface TwiceJudged {
  docId: string;
  kind: string;
  /** Who wrote it, where known. */
  model?: string;
  reference: number;
  local: { level: number; expected: number };
  /** Expected score by the distilled judge. */
  student: number;
}

/** From both expected scores to a level. */
export interface DistilledCalibration {
  /** The distilled judge's expected score on the reference's scale: least squares, intercept + slope x. */
  scale: { intercept: number; slope: number };
  /** Weight of the local judge's expected score beside it, 0..1; 0 is the distilled judge alone. */
  localWeight: number;
  /** From the weighted mean to the reference's mean score. */
  rising: Isotonic;
  cuts: number[];
  /** From the weighted mean to the probability that the reference gives 3 or more. */
  passing: Logistic;
}

export type FittedKind = 'local' | 'student' | 'combined';

/** Names as in table1.json. */
export interface ComparedJudge {
  kind: FittedKind;
  kappa: number | null;
  kappa_ci: Interval | null;
  rate_error: number;
  /** The same for each arm: the texts of one model, and those of a kind that name none. */
  arms: { arm: string; texts: number; rate_error: number }[];
  /** Kappa less the local judge's, on the same texts; absent for the local judge. */
  difference?: number;
  difference_ci?: Interval;
  used: boolean;
}

export interface Comparison {
  compared: ComparedJudge[];
  used: FittedKind;
  calibrations: Record<Exclude<FittedKind, 'local'>, DistilledCalibration>;
}

/** With fewer texts a calibration fits their noise. */
export const FEWEST_CALIBRATION = 20;
/** Two candidates are held against the local judge, so each has to pass at half the usual error (Bonferroni). */
const LEVEL = 1 - 0.05 / 2;
/** Points of an arm's Rate(>=3) that the distilled judge may be off. */
const MOST_RATE_ERROR = 0.05;
/** Easy kinds matter less, as for the local judge. */
const EASY_WEIGHT = 0.3;
const WEIGHTS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * Calibrates the distilled judge, alone and averaged with the local one, and holds both against the local judge on the hard kinds. One is used only where
 * the paired interval of its gain in kappa lies above 0, and Rate(>=3) of every arm is at most 5 points off.
 *
 * @param calibration texts of documents neither judge was fitted on; at least FEWEST_CALIBRATION of hard kinds
 * @param heldOut texts of further documents; agreement is measured on them
 */
export function compareJudges(
  calibration: readonly TwiceJudged[],
  heldOut: readonly TwiceJudged[],
  options: AgreementOptions,
): Comparison {
  const together = WEIGHTS.map((weight) => calibrated(calibration, weight));
  const combined = together.reduce((best, one) => (one.error < best.error ? one : best));
  const calibrations = { student: calibrated(calibration, 0).fit, combined: combined.fit };
  const hard = heldOut.filter(({ kind }) => HARD_KINDS.includes(kind));
  const local = measured('local', hard, ({ local }) => local.level, options);
  const candidates = (['student', 'combined'] as const).map((kind) => {
    const levelFor = (text: TwiceJudged) => distilledScore(calibrations[kind], text.local.expected, text.student).level;
    const own = measured(kind, hard, levelFor, options);
    const scores = hard.map((text) => ({
      docId: text.docId,
      reference: text.reference,
      first: text.local.level,
      second: levelFor(text),
    }));
    const random = randomStream(options.seed, 'kappa-difference', kind);
    const { estimate, interval } = kappaDifference(scores, { random, resamples: options.resamples, level: LEVEL });
    return { ...own, difference: estimate, difference_ci: interval };
  });
  const isFair = ({ arms }: Pick<ComparedJudge, 'arms'>) =>
    arms.every(({ rate_error }) => Math.abs(rate_error) <= MOST_RATE_ERROR);
  const better = candidates
    .filter((one) => one.difference_ci[0] > 0 && isFair(one))
    .sort((a, b) => b.difference - a.difference)[0];
  const used = better?.kind ?? 'local';
  return {
    used,
    compared: [local, ...candidates].map((one) => ({ ...one, used: one.kind === used })),
    calibrations,
  };
}

/** The level of a text by its two expected scores. */
export function distilledScore(calibration: DistilledCalibration, local: number, student: number): SureScore {
  const mean = blend(calibration, local, student);
  const level = levelOf(isotonicAt(calibration.rising, mean), calibration.cuts);
  return { level, sureness: surenessOf(calibration.passing, mean, level) };
}

function calibrated(texts: readonly TwiceJudged[], localWeight: number): { fit: DistilledCalibration; error: number } {
  const weightOf = ({ kind }: TwiceJudged) => (HARD_KINDS.includes(kind) ? 1 : EASY_WEIGHT);
  const scale = risingLine(texts.map((text) => ({ x: text.student, y: text.reference, weight: weightOf(text) })));
  const points = texts.map((text) => ({
    x: blend({ scale, localWeight }, text.local.expected, text.student),
    y: text.reference,
    weight: weightOf(text),
  }));
  const rising = fitIsotonic(points, 'centred');
  const rows = points.map(({ x, y, weight }): Calibration => ({ expected: isotonicAt(rising, x), score: y, weight }));
  // Of the line, not of the isotonic fit: that one bends to any mixture of two judges.
  const line = risingLine(points);
  const error = points.reduce((sum, { x, y, weight }) => sum + weight * (y - line.intercept - line.slope * x) ** 2, 0);
  const passing = fitSureness(points.map(({ x, y, weight }) => ({ expected: x, score: y, weight })));
  return { fit: { scale, localWeight, rising, cuts: fitCutPoints(rows), passing }, error };
}

function blend(
  { scale, localWeight }: Pick<DistilledCalibration, 'scale' | 'localWeight'>,
  local: number,
  student: number,
): number {
  return localWeight * local + (1 - localWeight) * (scale.intercept + scale.slope * student);
}

/** Weighted least squares; a slope below 0 would mean that the judge is wrong way round, and counts as none. */
function risingLine(points: readonly IsotonicPoint[]): { intercept: number; slope: number } {
  const total = points.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (value: (point: IsotonicPoint) => number) =>
    points.reduce((sum, point) => sum + point.weight * value(point), 0) / total;
  const [x0, y0] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = mean(({ x }) => (x - x0) ** 2);
  const slope = spread > 0 ? Math.max(0, mean(({ x, y }) => (x - x0) * (y - y0)) / spread) : 0;
  return { intercept: y0 - slope * x0, slope };
}

function measured(
  kind: FittedKind,
  hard: readonly TwiceJudged[],
  levelFor: (text: TwiceJudged) => number,
  options: AgreementOptions,
): Omit<ComparedJudge, 'used'> {
  const pairs = hard.map((text) => ({ ...text, score: levelFor(text) }));
  const { kappa, kappa_ci } = agreement(pairs, options);
  const armOf = ({ model, kind }: TwiceJudged) => model ?? kind;
  const arms = [...new Set(pairs.map(armOf))].sort().map((arm) => {
    const own = pairs.filter((pair) => armOf(pair) === arm);
    return { arm, texts: own.length, rate_error: rateError(own) };
  });
  return { kind, kappa: kappa ?? null, kappa_ci: kappa_ci ?? null, rate_error: rateError(pairs), arms };
}

function rateError(pairs: readonly ScoredPair[]): number {
  const passing = (level: (pair: ScoredPair) => number) => pairs.filter((pair) => level(pair) >= 3).length;
  return (passing(({ score }) => score) - passing(({ reference }) => reference)) / pairs.length;
}
