/** The reliability block in words: a line a finding, warnings first. */

import { canarySentence } from '../collect/canaries.ts';
import { judgingSentences } from '../collect/judging-report.ts';
import type { RaterAgreement } from '../statistics/rater-agreement.ts';
import type { Interval } from '../statistics/wilson.ts';
import type { HumanCorrection } from './human-correction.ts';
import type { Reliability } from './reliability.ts';

export function reliabilitySentences(block: Omit<Reliability, 'sentences'>): string[] {
  const {
    reference,
    repeats,
    shrinkage,
    cascade,
    second,
    human,
    raters,
    length,
    canaries,
    contamination,
    filter_judge,
    warnings,
  } = block;
  return [
    ...warnings.map((warning) => `Careful: ${warning}`),
    ...(reference
      ? [
          `This judge and the reference judge on held-out student-made and flawed texts: ordinal alpha ${known(reference.alpha)}, AC2 ${known(reference.ac2)}.`,
        ]
      : []),
    ...(cascade ? cascadeSentences(cascade) : []),
    ...(repeats ? [`The same text judged again: ${agreement(repeats)}, spread ${repeats.spread.toFixed(2)}.`] : []),
    ...(shrinkage
      ? [
          `Texts kept for training had ${shrinkage.kept.toFixed(2)} on average, and ${shrinkage.again.toFixed(2)} when judged again (${shrinkage.texts} texts).`,
        ]
      : []),
    ...(second ? [`Second judge: ${agreement(second)}; mean score ${signed(second.shift, 2)}.`] : []),
    ...(second?.rows ?? []).map(
      (row) =>
        `On the outputs both judges scored, ${row.arm} has Diff ${signed(100 * row.diff, 2)} (${row.verdict}) by the first and ${signed(100 * row.second_diff, 2)} (${row.second_verdict}) by the second.`,
    ),
    ...(human ?? [])
      .filter((row) => row.texts > 0)
      .map(
        (row) =>
          `People on ${row.texts} outputs of ${row.arm}: sensitivity ${share(row.sensitivity)}, specificity ${share(row.specificity)}; Rate(>=3) ${share(row.rate)}, corrected ${share(row.corrected)}${bounds(row.corrected_ci)}${difference(row)}.`,
      ),
    ...(raters ? [`People who rated the same: ${agreement(raters)}.`] : []),
    ...(length
      ? [
          `Length: a doubling changes Rate(>=3) by ${signed(100 * length.slope, 1)} points [${length.slope_ci.map((bound) => signed(100 * bound, 1)).join(', ')}]; Diff at equal length ${length.rows
            .filter((row) => row.diff !== 0)
            .map((row) => `${row.arm} ${signed(100 * row.diff_at_equal_length, 1)}`)
            .join(', ')}.`,
        ]
      : []),
    ...(contamination && contamination.suspects.length === 0
      ? [`None of ${contamination.documents} validation documents stands in a training document.`]
      : []),
    ...(canaries ? [`Texts with planted faults shown to this judge: ${canarySentence(canaries)}.`] : []),
    ...(filter_judge ? [`The judge of the training texts: ${judgingSentences(filter_judge).join('; ')}.`] : []),
  ];
}

function cascadeSentences({ below, held_out, ...outputs }: NonNullable<Reliability['cascade']>): string[] {
  const { texts, asked, usd, usd_saved, arms } = outputs;
  const dollars = (value: number) => `$${value.toFixed(2)}`;
  const price =
    usd === null
      ? ''
      : ` It cost ${dollars(usd)}${usd_saved === null ? '' : `, about ${dollars(usd_saved)} less than judging all of them`}.`;
  const right =
    held_out.right === null
      ? `of ${held_out.texts} held-out student-made and flawed texts all would be sent`
      : `of ${held_out.texts} held-out student-made and flawed texts ${share(1 - held_out.share)} would be kept, ${share(held_out.right)} of them on the reference judge's side of 3`;
  return [
    `Cascade: an LLM scored ${asked} of ${texts} outputs (${share(outputs.share)}; ${arms.map((one) => `${one.arm} ${share(one.share)}`).join(', ')}), those at least ${below} sure kept the local score.${price}`,
    `The local score where it is kept: ${right}.`,
  ];
}

function agreement({ texts, documents, exact, flips, kappa, kappa_ci, alpha, ac2 }: RaterAgreement): string {
  const interval = kappa_ci ? ` [${kappa_ci.map((bound) => bound.toFixed(2)).join(', ')}]` : '';
  return `${texts} texts of ${documents} documents, equal ${share(exact)}, Rate flips ${share(flips)}, quadratic-weighted kappa ${known(kappa)}${interval}, ordinal alpha ${known(alpha)}, AC2 ${known(ac2)}`;
}

const known = (value: number | null) => value?.toFixed(2) ?? 'n/a';
const share = (value: number | null) => (value === null ? 'n/a' : `${(100 * value).toFixed(1)}%`);
const bounds = (interval: Interval | null) =>
  interval === null ? '' : ` [${interval.map((bound) => (100 * bound).toFixed(1)).join(', ')}]`;

const difference = ({ corrected_diff, corrected_diff_ci }: HumanCorrection) =>
  corrected_diff === undefined || corrected_diff_ci === undefined
    ? ''
    : `, Diff ${signed(100 * corrected_diff, 1)} [${corrected_diff_ci.map((bound) => signed(100 * bound, 1)).join(', ')}]`;

function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) > 0 ? `+${text}` : Number(text) === 0 ? (0).toFixed(digits) : text;
}
