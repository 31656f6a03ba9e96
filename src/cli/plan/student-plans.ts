/** What the training of each student takes: samples, steps, memory, time. Fetches nothing, and trains only to measure. */

import type { Material } from '../../collect/collected.ts';
import { samplesAtMost } from '../../curate/samples-at-most.ts';
import type { SftRow } from '../../curate/sft-row.ts';
import { type TokenSample, tokenizeRows } from '../../engine/token-samples.ts';
import { readManifest } from '../../foundation/artifact.ts';
import { UserError } from '../../foundation/errors.ts';
import { randomStream } from '../../foundation/random.ts';
import type { RunContext } from '../../foundation/run-context.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { readHubConfig } from '../../model/hub-config.ts';
import { findLocalModel, type ResolvedModel } from '../../model/resolve.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import type { Recipe, StudentSettings } from '../../recipe/schema.ts';
import { studentTrain } from '../../recipe/student-train.ts';
import type { StageName } from '../../stage/stage.ts';
import { measureSpeed } from '../../train/measure-speed.ts';
import { describeMemory } from '../../train/memory-plan.ts';
import { secondsAhead } from '../../train/time-left.ts';
import { type StudentJob, studentJob } from '../../train/train.ts';
import { planTrainingMemory, type TrainingSize, trainingSize } from '../../train/training-size.ts';
import { keepSpeed, knownSpeed } from './known-speed.ts';
import type { RequestGroup } from './request-groups.ts';
import { standInRows } from './stand-in-rows.ts';

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
  memory?: { fits: true; bytes: number; description: string } | { fits: false; message: string; hint: string };
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

/** Documents whose rows stand for all: enough for a mean, few enough to tokenize at once. */
const SAMPLED_DOCUMENTS = 200;
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
  const model = await findLocalModel(settings.model, context);
  if (model === undefined) return { ...head, unknown: 'its weights are not here yet; mga doctor fetches them' };
  const tokenizer = await loadTokenizer(model.folder);
  const { job, documents, longest, devSamples, standIn } = trainingRows(student, parts);
  const tokenized = (rows: readonly SftRow[]) => tokenizeRows(rows, tokenizer, settings.maxTokens).samples;
  const samples = tokenized(job.train);
  if (samples.length === 0) return { ...head, unknown: `no sample is at most ${settings.maxTokens} tokens long` };
  const size = trainingSize(samples, settings, recipe.seed, documents, devSamples);
  const memory = memoryOf(model, [...samples, ...tokenized(longest)], job);
  const plan: StudentPlan = { ...head, size, standIn, memory };
  if (parts.measure && memory.fits && knownSpeed(recipe, folder, model.sha256, settings) === undefined) {
    keepSpeed(folder, model.sha256, settings, await measureSpeed(measured(job), context));
  }
  const speed = knownSpeed(recipe, folder, model.sha256, settings);
  if (speed === undefined) return plan;
  const { secondsPerToken, from } = speed;
  return {
    ...plan,
    seconds: secondsAhead(size, secondsPerToken),
    tokensPerSecond: 1 / secondsPerToken,
    speedFrom: from,
  };
}

function memoryOf(model: ResolvedModel, samples: readonly TokenSample[], job: StudentJob): StudentPlan['memory'] & {} {
  const config = readHubConfig(model.folder);
  try {
    const plan = planTrainingMemory(config, samples, job.settings, job.seed, job.name);
    return { fits: true, bytes: plan.bytes, description: describeMemory(plan, config) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { fits: false, message: error.message, hint: error.hint ?? '' };
  }
}

interface TrainingRows {
  job: StudentJob;
  /** The document of each sample of the whole training. */
  documents: string[];
  /** Further rows for the largest pass. */
  longest: SftRow[];
  devSamples: number;
  standIn: boolean;
}

/** The curated rows, else stand-ins. */
function trainingRows(student: StudentSettings, parts: TrainingParts): TrainingRows {
  const { recipe, folder } = parts;
  try {
    const job = studentJob(recipe, folder, student);
    const documents = job.train.map(({ doc_id }) => doc_id);
    const drawn = randomStream(recipe.seed, 'plan-training').shuffle([...new Set(documents)]);
    const train = rowsAbout(job.train, drawn.slice(0, SAMPLED_DOCUMENTS));
    const longest = drawn.length > SAMPLED_DOCUMENTS ? longestDocument(job.train) : [];
    return { job: { ...job, train }, documents, longest, devSamples: job.dev.length, standIn: false };
  } catch (error) {
    // There are no curated rows yet.
    if (!(error instanceof UserError)) throw error;
    return standInTraining(student, parts);
  }
}

function standInTraining(student: StudentSettings, { recipe, folder, material, groups }: TrainingParts): TrainingRows {
  const { splits, documents } = material;
  const rows = (id: string) => standInRows(recipe, student, documents.get(id)!, groups);
  const sampled = randomStream(recipe.seed, 'plan-training').shuffle(splits.train).slice(0, SAMPLED_DOCUMENTS);
  const longest = splits.train.reduce((most, id) =>
    documents.get(id)!.text.length > documents.get(most)!.text.length ? id : most,
  );
  const perDocument = rows(longest).length;
  const most = student.stages.reduce(
    (sum, stage) => sum + (samplesAtMost(recipe.curate, stage) ?? Number.POSITIVE_INFINITY),
    0,
  );
  const job: StudentJob = {
    name: student.name,
    folder: folder.student(student.name),
    train: sampled.flatMap(rows),
    dev: [],
    settings: studentTrain(recipe, student),
    quantize: recipe.quantize,
    seed: recipe.seed,
  };
  const all = splits.train.flatMap((id) => new Array<string>(perDocument).fill(id));
  return {
    job,
    documents: all.slice(0, most),
    longest: withOwnIds(rows(longest)),
    devSamples: Math.min(most, splits.dev.length * perDocument),
    standIn: true,
  };
}

/** The job on a few documents. */
function measured(job: StudentJob): StudentJob {
  const documents = [...new Set(job.train.map(({ doc_id }) => doc_id))];
  return { ...job, train: rowsAbout(job.train, documents.slice(0, MEASURED_DOCUMENTS)) };
}

function rowsAbout(rows: readonly SftRow[], documents: readonly string[]): SftRow[] {
  const wanted = new Set(documents);
  return rows.filter(({ doc_id }) => wanted.has(doc_id));
}

/** The rows of the document that has most to read: the largest pass of the training, or near it. */
function longestDocument(rows: readonly SftRow[]): SftRow[] {
  const characters = new Map<string, number>();
  for (const { doc_id, prompt, completion } of rows) {
    const length = [...prompt, ...completion].reduce((sum, { content }) => sum + content.length, 0);
    characters.set(doc_id, (characters.get(doc_id) ?? 0) + length);
  }
  const [docId] = [...characters].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
  return withOwnIds(rowsAbout(rows, [docId]));
}

/** Beside the sampled rows, these are another document. */
function withOwnIds(rows: readonly SftRow[]): SftRow[] {
  return rows.map((row) => ({ ...row, id: `longest/${row.id}`, doc_id: `longest/${row.doc_id}` }));
}
