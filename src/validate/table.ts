/** Scored items -> Table 1: rates, paired differences and the verdict of every arm of a stage. */

import { randomStream } from '../foundation/random.ts';
import type { JudgeReport } from '../judge/judge.ts';
import type { AbstentionPoint } from '../statistics/abstention-curve.ts';
import { holm } from '../statistics/holm.ts';
import { mcnemarExact } from '../statistics/mcnemar.ts';
import { nonInferiority, VERDICT_LEVEL, type Verdict } from '../statistics/non-inferiority.ts';
import { type PairedCluster, pairedDifference } from '../statistics/paired-difference.ts';
import { signFlipTest } from '../statistics/sign-flip.ts';
import { clusteredRate, type Interval } from '../statistics/wilson.ts';
import { type MeasureMean, measureMeans } from './measure-means.ts';
import type { Reliability } from './reliability.ts';
import { type ScaleRates, scaleRates } from './scale-rates.ts';
import { PASSING_SCORE, type ScoredItem } from './scored-item.ts';

/** One arm; names as in table1.json. Rates and differences are shares (0..1), intervals are 95% over documents. */
export interface TableRow {
  model: string;
  arm: string;
  /** False for an arm that is no part of the run and only stands beside it: the gate does not ask for it. */
  candidate?: false;
  /** Inputs. Unscored and failed outputs stay in it. */
  total: number;
  documents: number;
  /** Several trainings of one student in one row: their number is the length, their rates the values. Total counts every seed's answer. */
  seed_rates?: number[];
  /** Standard deviation of the seeds' rates. */
  seed_deviation?: number;
  /** Outputs by score; absent where the stage has no scores. */
  counts?: Record<'5' | '4' | '3' | '2' | '1', number>;
  unscored?: number;
  /** Table 2; like the counts. */
  table2?: ScaleRates;
  /** Inputs this arm was not given at all; they count as unscored. Absent where there are none. */
  missing?: number;
  rate: number;
  rate_ci: Interval;
  /** How much less the items say than independent ones: n / design_effect is the effective number. */
  design_effect: number;
  /** Against the reference arm, paired by input; absent in its own row, like everything down to `documents_needed`. */
  diff?: number;
  diff_ci?: Interval;
  /** Sign flips of whole documents. */
  p_value?: number;
  /** The same after Holm over the arms of the table. */
  p_adjusted?: number;
  /** Inputs only this arm, or only the reference, passed. */
  discordant?: { gained: number; lost: number };
  /** Exact McNemar: takes items as independent, for comparison only; absent for several seeds. */
  mcnemar_p?: number;
  verdict?: Verdict;
  documents_needed?: number;
  copied?: number;
  complete?: number;
  usable?: number;
  usable_ci?: Interval;
  usable_diff?: number;
  usable_diff_ci?: Interval;
  usable_p_value?: number;
  /** Means of what is measured without a judge (text-measures.ts), over the outputs it can be measured of. */
  measures?: Record<string, MeasureMean>;
  /** Of a label stage, by field: what is right of the answers at least as sure as each threshold. */
  abstention?: Record<string, AbstentionPoint[]>;
  /** Against the untrained model: what training brought. */
  gain_over_base?: { usable_diff: number; usable_diff_ci: Interval; usable_p_value: number };
}

export interface StageTable {
  stage: string;
  judge: JudgeReport;
  /** The arm differences are taken against. */
  reference: string;
  margin: number;
  rows: TableRow[];
  /** How far its scores can be trusted. */
  reliability?: Reliability;
}

export interface TableOptions {
  judge: JudgeReport;
  /** Non-inferiority margin in points. */
  margin: number;
  resamples: number;
  seed: number;
  /** Default: `teacher` where there is such an arm, else the first one. */
  reference?: string;
  /** What counts as passed. Default: a score of 3 and more. */
  passes?: (item: ScoredItem) => boolean;
  /** False where the stage has no scores and rows carry no counts. */
  scored?: boolean;
}

/** Answers by seed, then by input. */
type Arm = { arm: string; model: string; seeds: Map<number, Map<string, ScoredItem>> };
type Inputs = Map<string, string[]>;

/** Table 1 of one stage. Total is the union of all arms' inputs, so that every arm answers for the same ones. */
export function stageTable(stage: string, items: readonly ScoredItem[], options: TableOptions): StageTable {
  const arms = groupArms(items);
  const inputs: Inputs = new Map();
  for (const key of new Set(items.map(inputKey))) {
    const docId = key.slice(0, key.indexOf('\u0000'));
    const keys = inputs.get(docId) ?? [];
    inputs.set(docId, keys);
    keys.push(key);
  }
  const reference = arms.find((arm) => arm.arm === (options.reference ?? 'teacher')) ?? arms[0]!;
  const rows = arms.map((arm) => rowOf(arm, arm === reference ? undefined : reference, arms, inputs, options));
  const compared = rows.filter((row) => row.p_value !== undefined);
  for (const [i, adjusted] of holm(compared.map((row) => row.p_value!)).entries()) compared[i]!.p_adjusted = adjusted;
  return { stage, judge: options.judge, reference: reference.arm, margin: options.margin, rows };
}

/** Rows in the order their arms are met; two models of one arm are two rows. */
function groupArms(items: readonly ScoredItem[]): Arm[] {
  const arms = new Map<string, Arm>();
  for (const item of items) {
    const name = `${item.arm}\u0000${item.model}`;
    const arm = arms.get(name) ?? { arm: item.arm, model: item.model, seeds: new Map() };
    arms.set(name, arm);
    const byInput = arm.seeds.get(item.seed ?? 0) ?? new Map<string, ScoredItem>();
    arm.seeds.set(item.seed ?? 0, byInput);
    if (byInput.has(inputKey(item))) throw new Error(`Arm ${item.arm} answers input ${item.item} twice`);
    byInput.set(inputKey(item), item);
  }
  return [...arms.values()];
}

const inputKey = (item: ScoredItem) => `${item.doc_id}\u0000${item.item}`;

function rowOf(
  arm: Arm,
  reference: Arm | undefined,
  arms: readonly Arm[],
  inputs: Inputs,
  options: TableOptions,
): TableRow {
  const passes = options.passes ?? ((item: ScoredItem) => item.score !== null && item.score >= PASSING_SCORE);
  const total = totalOf(arm, inputs);
  const answers = answersOf(arm);
  const { rate, interval, designEffect } = rateOf(arm, inputs, passes);
  return {
    model: arm.model,
    arm: arm.arm,
    total,
    documents: inputs.size,
    ...(arm.seeds.size > 1 ? spread(arm, inputs, passes) : {}),
    ...(options.scored === false
      ? {}
      : { ...scoresOf(answers, total), table2: scaleRates((counts) => rateOf(arm, inputs, counts)) }),
    ...(answers.length < total ? { missing: total - answers.length } : {}),
    rate,
    rate_ci: interval,
    design_effect: designEffect,
    ...(reference ? comparison(arm, reference, inputs, passes, options) : {}),
    ...(answers.some((item) => item.measures) ? { measures: measureMeans(answers, options) } : {}),
    ...(answers.some((item) => item.usable !== undefined)
      ? usableParts(arm, reference, arms, inputs, options, answers)
      : {}),
  };
}

function usableParts(
  arm: Arm,
  reference: Arm | undefined,
  arms: readonly Arm[],
  inputs: Inputs,
  options: TableOptions,
  answers: readonly ScoredItem[],
) {
  const total = totalOf(arm, inputs);
  const usable = rateOf(arm, inputs, isUsable);
  const base = arms.find((other) => other.arm === 'base');
  const gain = base && base !== arm && base !== reference && reference;
  return {
    copied: answers.filter((item) => item.copied).length / total,
    complete: answers.filter((item) => item.complete).length / total,
    usable: usable.rate,
    usable_ci: usable.interval,
    ...(reference ? usableComparison(arm, reference, inputs, options) : {}),
    ...(gain ? { gain_over_base: usableComparison(arm, base, inputs, options) } : {}),
  };
}

const isUsable = (item: ScoredItem) => item.usable === true;

function scoresOf(answers: readonly ScoredItem[], total: number): Pick<TableRow, 'counts' | 'unscored'> {
  const counts = { '5': 0, '4': 0, '3': 0, '2': 0, '1': 0 };
  const scored = answers.filter((item) => item.score !== null);
  for (const item of scored) counts[String(item.score) as keyof typeof counts]++;
  return { counts, unscored: total - scored.length };
}

/** Every seed answers for every input. */
const totalOf = (arm: Arm, inputs: Inputs) => arm.seeds.size * [...inputs.values()].flat().length;

const answersOf = (arm: Arm) => [...arm.seeds.values()].flatMap((byInput) => [...byInput.values()]);

function rateOf(arm: Arm, inputs: Inputs, passes: (item: ScoredItem) => boolean) {
  const clusters = [...inputs.values()].map((keys) => ({
    successes: keys.reduce((sum, key) => sum + passed(arm, key, passes), 0),
    total: keys.length * arm.seeds.size,
  }));
  return clusteredRate(clusters);
}

/** Each seed's rate, and sqrt(sum (rate - mean)^2 / (seeds - 1)). */
function spread(arm: Arm, inputs: Inputs, passes: (item: ScoredItem) => boolean) {
  const rates = [...arm.seeds].map(([seed, byInput]) => {
    const alone = { ...arm, seeds: new Map([[seed, byInput]]) };
    return rateOf(alone, inputs, passes).rate;
  });
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const squares = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0);
  return { seed_rates: rates, seed_deviation: Math.sqrt(squares / (rates.length - 1)) };
}

/** How many seeds' answers to this input passed. */
function passed(arm: Arm, key: string, passes: (item: ScoredItem) => boolean): number {
  let count = 0;
  for (const byInput of arm.seeds.values()) {
    const item = byInput.get(key);
    if (item !== undefined && passes(item)) count++;
  }
  return count;
}

/** Documents' differences in what passed, every seed of the one arm against every seed of the other, and the discordant inputs. */
function pairedClusters(arm: Arm, other: Arm, inputs: Inputs, passes: (item: ScoredItem) => boolean) {
  let gained = 0;
  let lost = 0;
  const clusters: PairedCluster[] = [...inputs.values()].map((keys) => {
    let difference = 0;
    for (const key of keys) {
      const step = passed(arm, key, passes) * other.seeds.size - passed(other, key, passes) * arm.seeds.size;
      difference += step;
      if (step > 0) gained++;
      if (step < 0) lost++;
    }
    return { difference, total: keys.length * arm.seeds.size * other.seeds.size };
  });
  return { clusters, gained, lost, p: signFlipTest(clusters.map((cluster) => cluster.difference)) };
}

function comparison(
  arm: Arm,
  reference: Arm,
  inputs: Inputs,
  passes: (item: ScoredItem) => boolean,
  { margin, resamples, seed }: TableOptions,
) {
  const { clusters, gained, lost, p } = pairedClusters(arm, reference, inputs, passes);
  const bootstrap = (level: number) =>
    pairedDifference(clusters, { random: randomStream(seed, 'table', arm.arm, arm.model), resamples, level });
  const paired = bootstrap(0.95);
  const { verdict, documentsNeeded } = nonInferiority(bootstrap(VERDICT_LEVEL), margin / 100, inputs.size);
  return {
    diff: paired.difference,
    diff_ci: paired.interval,
    p_value: p,
    discordant: { gained, lost },
    ...(arm.seeds.size * reference.seeds.size === 1 ? { mcnemar_p: mcnemarExact(gained, lost) } : {}),
    verdict,
    ...(documentsNeeded === undefined ? {} : { documents_needed: documentsNeeded }),
  };
}

function usableComparison(arm: Arm, other: Arm, inputs: Inputs, { resamples, seed }: TableOptions) {
  const { clusters, p } = pairedClusters(arm, other, inputs, isUsable);
  const random = randomStream(seed, 'usable', arm.arm, arm.model, other.arm);
  const paired = pairedDifference(clusters, { random, resamples });
  return { usable_diff: paired.difference, usable_diff_ci: paired.interval, usable_p_value: p };
}
