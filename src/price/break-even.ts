/** A million documents by the teacher and by the students, and after how many documents the students have paid for themselves. */

import type { Recipe } from '../recipe/schema.ts';
import { judgeStage } from '../stage/judge.ts';
import { PAIRS_PER_DOCUMENT } from '../stage/pairs.ts';
import { learntStages } from '../stage/recipe-stages.ts';
import { estimateOf, exactly, type Figure, mostFor, sumOf } from './price-estimate.ts';
import type { PricePlan } from './price-plan.ts';
import type { RequestGroup } from './request-groups.ts';
import type { StudentSpeed } from './student-speed.ts';

const DOCUMENTS = 1_000_000;

export interface BreakEven {
  documents: number;
  /** US dollars of the learnt stages by those who label now; null without a price. `atMost`: not from answers. */
  teacher: { usd: Figure; atMost: boolean } | null;
  /** Of this machine; null where validation has not measured it. */
  student: { arm: string; seconds: number; usd: number | null } | null;
  /** What is paid before the first document: labels and judgements (spent and to come), and training. */
  once: { labelsUsd: number | null; trainingSeconds: number | null; trainingUsd: number | null };
  /** Documents after which students are cheaper, by `once`; `never`, or null where a figure is missing. */
  cheaperAfter: number | 'never' | null;
  /** `plan.machineUsdPerHour`; null: not given, and counted as nothing. */
  machineUsdPerHour: number | null;
}

/** @param trainingSeconds of all students, measured or estimated; null where it is not known */
export function breakEven(
  recipe: Recipe,
  groups: readonly RequestGroup[],
  price: PricePlan,
  speed: StudentSpeed | undefined,
  trainingSeconds: number | null,
): BreakEven {
  const hourly = recipe.plan.machineUsdPerHour ?? null;
  const usdOfMachine = (seconds: number) => (hourly === null ? null : (seconds / 3600) * hourly);
  const teacher = teacherPrice(recipe, groups);
  const toCome = price.estimate?.usd?.value ?? price.usd;
  const labelsUsd = toCome === null ? null : price.spent + toCome;
  const seconds = speed === undefined ? null : speed.secondsPerDocument * DOCUMENTS;
  const trainingUsd = trainingSeconds === null ? null : usdOfMachine(trainingSeconds);
  const student = speed && seconds !== null ? { arm: speed.arm, seconds, usd: usdOfMachine(seconds) } : null;
  const once = { labelsUsd, trainingSeconds, trainingUsd };
  // A machine without a price counts as nothing; one with a price needs times to be counted.
  const missing =
    labelsUsd === null || teacher === null || (hourly !== null && (student === null || trainingUsd === null));
  return {
    documents: DOCUMENTS,
    teacher,
    student,
    once,
    cheaperAfter: missing
      ? null
      : cheaperAfter(labelsUsd + (trainingUsd ?? 0), teacher.usd.value / DOCUMENTS, (student?.usd ?? 0) / DOCUMENTS),
    machineUsdPerHour: hourly,
  };
}

/** The first whole document at which `once + n student` is less than `n teacher`. */
function cheaperAfter(once: number, teacher: number, student: number): number | 'never' {
  if (teacher <= student) return 'never';
  return Math.floor(once / (teacher - student)) + 1;
}

/** A million documents through the stages that students learn, asked of those who answer them now; a judgement once. */
function teacherPrice(recipe: Recipe, groups: readonly RequestGroup[]): BreakEven['teacher'] {
  const prices = learntStages(recipe).map((stage) => {
    // The first group of a stage is the labeler, or the first judge.
    const group = groups.find((one) => one.stage === stage.name);
    if (group === undefined) return null;
    const each = stage.name === judgeStage.name ? PAIRS_PER_DOCUMENT : group.perDocument;
    const requests = DOCUMENTS * each;
    const ahead = { requests, weight: requests * group.typicalWeight, documents: DOCUMENTS };
    const known = estimateOf(group, ahead, recipe.collect.concurrency)?.usd;
    if (known) return { usd: known, atMost: false };
    const most = mostFor(group, ahead.weight, requests).usd;
    return most === null ? null : { usd: exactly(most), atMost: most > 0 };
  });
  if (prices.length === 0 || !prices.every((one) => one !== null)) return null;
  return { usd: sumOf(prices.map(({ usd }) => usd)), atMost: prices.some(({ atMost }) => atMost) };
}
