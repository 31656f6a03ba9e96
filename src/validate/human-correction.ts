/** What people's labels say of the judge, and of the rates it gave. */

import { randomStream } from '../foundation/random.ts';
import { clusterBootstrap } from '../statistics/cluster-bootstrap.ts';
import type { Interval } from '../statistics/wilson.ts';

/** One output of an arm; the human score where a person gave one. */
export interface LabelledOutput {
  docId: string;
  /** The judge's score 1..5; null where it gave none. */
  score: number | null;
  /** No text at all (empty, a refusal): nobody lets it pass, and nobody need look. */
  failed?: boolean;
  human?: number;
}

export interface HumanCorrection {
  /** Outputs with a label. */
  texts: number;
  /** Of what people let pass, the share the judge lets pass; null where people let nothing pass, or it is not known. */
  sensitivity: number | null;
  /** Of what people refuse, the share the judge refuses; null where people refuse nothing, or it is not known. */
  specificity: number | null;
  rate: number;
  /** Null where no label tells of what the judge passes, or of what it refuses. */
  corrected: number | null;
  corrected_ci: Interval | null;
  /** Corrected rate minus the reference arm's; absent for that arm itself, and where either is not known. */
  corrected_diff?: number;
  corrected_diff_ci?: Interval;
}

/** A stratum: outputs to which the judge gave one score (0: none). Sums of a document: outputs, labels, labels that pass; then those failed. */
const LEVELS = 6;
const OUTPUTS = 0;
const LABELS = LEVELS;
const PASSED = 2 * LEVELS;
const FAILED = 3 * LEVELS;

/**
 * The judge's sensitivity and specificity, and the rate people would have given, from labels drawn by the judge's score h.
 * With N_h outputs of that score, n_h of them labelled, k_h of those passed by people, each label stands for
 *
 *   w_h = N_h / n_h * (N_side / sum of N_h over the labelled scores of its side)
 *
 * outputs, where the side is what the judge passes, or what it refuses: scores without a label are taken to be as the labelled ones of their side. Then
 *
 *   sensitivity = sum(w_h k_h, passed side) / sum(w_h k_h),   specificity likewise with n_h - k_h on the refused side,
 *   corrected = sum(w_h k_h) / N
 *
 * which is (rate + specificity - 1) / (sensitivity + specificity - 1) (Rogan and Gladen 1978) with these two, and the stratified estimate of the rate.
 *
 * The interval is BCa over documents, in which outputs, labels and weights vary together. Where d documents with labels show no error of the judge on a side, a
 * bootstrap sees no variation there: its bound is moved by the side's share of outputs times 1 - 0.025^(1 / d), the exact bound of an error never seen.
 */
export function humanCorrection(
  outputs: readonly LabelledOutput[],
  passing: number,
  { seed, resamples }: { seed: number; resamples: number },
  reference?: readonly LabelledOutput[],
): HumanCorrection {
  const documents = sumsByDocument(outputs, passing);
  const clusters = [...documents.values()];
  const total = totalOf(clusters);
  const bootstrap = { random: randomStream(seed, 'human'), resamples };
  const { interval } = clusterBootstrap(clusters, (sums) => estimate(sums, passing).corrected, bootstrap);
  const found = estimate(total, passing);
  const known = Number.isFinite(found.corrected) && interval.every(Number.isFinite);
  const [down, up] = unseen(clusters, passing);
  return {
    texts: sumOf(total, LABELS, 0, LEVELS),
    sensitivity: orNull(found.sensitivity),
    specificity: orNull(found.specificity),
    rate: found.rate,
    corrected: orNull(found.corrected),
    corrected_ci: known ? [Math.max(0, interval[0] - down), Math.min(1, interval[1] + up)] : null,
    ...(reference && correctedDifference(documents, sumsByDocument(reference, passing), passing, { seed, resamples })),
  };
}

/** Over the documents of both arms, drawn together: what both have in common cancels. */
function correctedDifference(
  own: ReadonlyMap<string, Float64Array>,
  reference: ReadonlyMap<string, Float64Array>,
  passing: number,
  { seed, resamples }: { seed: number; resamples: number },
): Pick<HumanCorrection, 'corrected_diff' | 'corrected_diff_ci'> {
  const none = new Float64Array(FAILED + 1);
  const ids = [...new Set([...own.keys(), ...reference.keys()])];
  const clusters = ids.map((id) => Float64Array.from([...(own.get(id) ?? none), ...(reference.get(id) ?? none)]));
  const difference = (sums: Float64Array) =>
    estimate(sums.subarray(0, FAILED + 1), passing).corrected - estimate(sums.subarray(FAILED + 1), passing).corrected;
  const options = { random: randomStream(seed, 'human-difference'), resamples };
  const { estimate: found, interval } = clusterBootstrap(clusters, difference, options);
  if (!Number.isFinite(found) || !interval.every(Number.isFinite)) return {};
  const [down, up] = unseen([...own.values()], passing);
  const [referenceDown, referenceUp] = unseen([...reference.values()], passing);
  const bounds: Interval = [
    Math.max(-1, interval[0] - down - referenceUp),
    Math.min(1, interval[1] + up + referenceDown),
  ];
  return { corrected_diff: found, corrected_diff_ci: bounds };
}

function sumsByDocument(outputs: readonly LabelledOutput[], passing: number): Map<string, Float64Array> {
  const documents = new Map<string, Float64Array>();
  for (const { docId, score, failed, human } of outputs) {
    const sums = documents.get(docId) ?? new Float64Array(FAILED + 1);
    documents.set(docId, sums);
    if (failed) {
      sums[FAILED]! += 1;
      continue;
    }
    const level = score ?? 0;
    sums[OUTPUTS + level]! += 1;
    if (human === undefined) continue;
    sums[LABELS + level]! += 1;
    if (human >= passing) sums[PASSED + level]! += 1;
  }
  return documents;
}

function totalOf(clusters: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(FAILED + 1);
  for (const sums of clusters) for (let i = 0; i < total.length; i++) total[i]! += sums[i]!;
  return total;
}

interface Estimate {
  sensitivity: number;
  specificity: number;
  rate: number;
  corrected: number;
}

/** NaN where something is not known. */
function estimate(sums: Float64Array, passing: number): Estimate {
  const passedSide = sumOf(sums, OUTPUTS, passing, LEVELS);
  const refusedSide = sumOf(sums, OUTPUTS, 0, passing);
  const failed = sums[FAILED]!;
  const outputs = passedSide + refusedSide + failed;
  const bothPass = peoplePass(sums, passing, LEVELS);
  const judgeMisses = peoplePass(sums, 0, passing);
  const bothRefuse = refusedSide - judgeMisses + failed;
  return {
    sensitivity: bothPass / (bothPass + judgeMisses),
    specificity: bothRefuse / (bothRefuse + passedSide - bothPass),
    rate: passedSide / outputs,
    corrected: (bothPass + judgeMisses) / outputs,
  };
}

/** How many of the outputs with these scores people would let pass. */
function peoplePass(sums: Float64Array, from: number, to: number): number {
  const outputs = sumOf(sums, OUTPUTS, from, to);
  if (outputs === 0) return 0;
  let covered = 0;
  let passed = 0;
  for (let level = from; level < to; level++) {
    const labels = sums[LABELS + level]!;
    if (labels === 0) continue;
    covered += sums[OUTPUTS + level]!;
    passed += (sums[OUTPUTS + level]! * sums[PASSED + level]!) / labels;
  }
  return (passed * outputs) / covered;
}

/** By how much errors that no label showed may move the corrected rate, downwards and upwards. */
function unseen(clusters: readonly Float64Array[], passing: number): [down: number, up: number] {
  const total = totalOf(clusters);
  const outputs = sumOf(total, OUTPUTS, 0, LEVELS) + total[FAILED]!;
  const bound = (from: number, to: number) => {
    const labelled = clusters.filter((sums) => sumOf(sums, LABELS, from, to) > 0).length;
    return labelled === 0 ? 0 : (sumOf(total, OUTPUTS, from, to) / outputs) * (1 - 0.025 ** (1 / labelled));
  };
  const neverRefused = sumOf(total, PASSED, passing, LEVELS) === sumOf(total, LABELS, passing, LEVELS);
  const neverPassed = sumOf(total, PASSED, 0, passing) === 0;
  return [neverRefused ? bound(passing, LEVELS) : 0, neverPassed ? bound(0, passing) : 0];
}

function sumOf(sums: Float64Array, part: number, from: number, to: number): number {
  let sum = 0;
  for (let level = from; level < to; level++) sum += sums[part + level]!;
  return sum;
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);
