/** What the training of each student takes: samples, steps, memory, time. Fetches nothing, and trains only to measure. */

import type { Material } from '../../collect/collected.ts';
import type { SftRow } from '../../curate/sft-row.ts';
import type { TokenSample } from '../../engine/token-samples.ts';
import { readManifest } from '../../foundation/artifact.ts';
import { UserError } from '../../foundation/errors.ts';
import type { RunContext } from '../../foundation/run-context.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import type { ModelConfig } from '../../model/config.ts';
import type { MeanTokens } from '../../pipeline/stand-in-rows.ts';
import { rowsAbout, trainingRows } from '../../pipeline/training-rows.ts';
import type { RequestGroup } from '../../price/request-groups.ts';
import type { Recipe, StudentSettings } from '../../recipe/schema.ts';
import { studentTrain } from '../../recipe/student-train.ts';
import type { StageName } from '../../stage/stage.ts';
import { describeMemory } from '../../train/memory-plan.ts';
import { secondsAhead } from '../../train/time-left.ts';
import type { StudentJob } from '../../train/train.ts';
import { planTrainingMemory, type TrainingSize, trainingSize } from '../../train/training-size.ts';
import { keepSpeed, knownSpeed } from './known-speed.ts';
import { findPlanBase } from './plan-base.ts';

export interface StudentPlan {
  name: string;
  stages: StageName[];
  model: string;
  epochs: number;
  /** It is trained, and that took so long; none of the rest is told then. */
  trainedSeconds?: number;
  /** Why no more can be told. */
  unknown?: string;
  size?: TrainingSize;
  /** Rows are stand-ins: documents with answers of the usual length, none dropped. */
  standIn?: boolean;
  /** The weights are not here: memory and time go by the model's sizes, tokens by the usual number of characters. */
  bySizes?: boolean;
  memory?:
    | { fits: true; bytes: number; keptLayers: number; lanes: number; description: string }
    | { fits: false; message: string; hint: string };
  /** Of all steps and dev losses; absent where no speed is known. */
  seconds?: number;
  tokensPerSecond?: number;
  speedFrom?: string;
}

export interface TrainingParts {
  recipe: Recipe;
  folder: RunFolder;
  material: Material;
  groups: readonly RequestGroup[];
  context: RunContext;
  /** Make two steps where no speed is known. */
  measure: boolean;
}

/** Documents of a measurement: two steps see no more. */
const MEASURED_DOCUMENTS = 40;

/** Plans every student. @throws UserError where a measurement cannot be made */
export async function studentPlans(parts: TrainingParts): Promise<StudentPlan[]> {
  const plans: StudentPlan[] = [];
  for (const student of parts.recipe.students) plans.push(await planStudent(student, parts));
  return plans;
}

async function planStudent(student: StudentSettings, parts: TrainingParts): Promise<StudentPlan> {
  const { recipe, folder, context } = parts;
  const settings = studentTrain(recipe, student);
  const { name, stages } = student;
  const head: StudentPlan = { name, stages, model: settings.model, epochs: settings.epochs };
  const trained = readManifest(folder.student(name))?.seconds;
  if (trained !== undefined) return { ...head, trainedSeconds: trained };
  const base = await findPlanBase(settings.model, context);
  if (base === undefined) return { ...head, unknown: 'its weights are not here yet; mga doctor fetches them' };
  const { config, identity } = base;
  const { job, documents, longest, devSamples, standIn } = trainingRows(student, {
    ...parts,
    meanTokens: meanTokens(parts.groups),
  });
  const tokenized = (rows: readonly SftRow[]) => base.tokenized(rows, settings.maxTokens);
  const samples = tokenized(job.train);
  if (samples.length === 0) return { ...head, unknown: `no sample is at most ${settings.maxTokens} tokens long` };
  const size = trainingSize(samples, settings, recipe.seed, documents, devSamples);
  const memory = memoryOf(config, [...samples, ...tokenized(longest)], job);
  const bySizes = base.measuredOn === undefined ? {} : { bySizes: true };
  const plan: StudentPlan = { ...head, size, standIn, ...bySizes, memory };
  if (parts.measure && memory.fits && knownSpeed(recipe, folder, identity, settings) === undefined) {
    const secondsPerToken = await base.measure(measured(job), memory, context);
    keepSpeed(folder, identity, settings, secondsPerToken, base.measuredOn);
  }
  const speed = knownSpeed(recipe, folder, identity, settings);
  if (speed === undefined) return plan;
  const { secondsPerToken, from } = speed;
  return {
    ...plan,
    seconds: secondsAhead(size, secondsPerToken),
    tokensPerSecond: 1 / secondsPerToken,
    speedFrom: from,
  };
}

function memoryOf(config: ModelConfig, samples: readonly TokenSample[], job: StudentJob): StudentPlan['memory'] & {} {
  try {
    const plan = planTrainingMemory(config, samples, job.settings, job.seed, job.name);
    const { bytes, keptLayers, lanes } = plan;
    return { fits: true, bytes, keptLayers, lanes, description: describeMemory(plan, config) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { fits: false, message: error.message, hint: error.hint ?? '' };
  }
}

/** The job on a few documents. */
function measured(job: StudentJob): StudentJob {
  const documents = [...new Set(job.train.map(({ doc_id }) => doc_id))];
  return { ...job, train: rowsAbout(job.train, documents.slice(0, MEASURED_DOCUMENTS)) };
}

/** As the ledger's answers have. */
function meanTokens(groups: readonly RequestGroup[]): MeanTokens {
  return ({ name }) => {
    const answers = groups.find(({ stage }) => stage === name)?.answers ?? [];
    const requests = answers.reduce((sum, one) => sum + one.requests, 0);
    const tokens = answers.reduce((sum, one) => sum + one.completionTokens, 0);
    return tokens > 0 ? Math.round(tokens / requests) : undefined;
  };
}
