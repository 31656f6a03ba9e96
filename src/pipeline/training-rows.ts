/** What a student is going to be trained on, as far as it is known: the curated rows, else stand-ins. Sampled, for a size and not to train. */

import type { Material } from '../collect/collected.ts';
import { samplesAtMost } from '../curate/samples-at-most.ts';
import type { SftRow } from '../curate/sft-row.ts';
import { UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe, StudentSettings } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { type StudentJob, studentJob } from '../train/train.ts';
import { type MeanTokens, standInRows } from './stand-in-rows.ts';

/** Documents whose rows stand for all: enough for a mean, few enough to tokenize at once. */
const SAMPLED_DOCUMENTS = 200;

export interface TrainingRowsParts {
  recipe: Recipe;
  folder: RunFolder;
  material: Material;
  meanTokens: MeanTokens;
}

export interface TrainingRows {
  job: StudentJob;
  /** The document of each sample of the whole training. */
  documents: string[];
  /** Further rows for the largest pass. */
  longest: SftRow[];
  devSamples: number;
  standIn: boolean;
}

/** The curated rows, else stand-ins. */
export function trainingRows(student: StudentSettings, parts: TrainingRowsParts): TrainingRows {
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

function standInTraining(
  student: StudentSettings,
  { recipe, folder, material, meanTokens }: TrainingRowsParts,
): TrainingRows {
  const { splits, documents } = material;
  const rows = (id: string) => standInRows(recipe, student, documents.get(id)!, meanTokens);
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

/** The rows about these documents. */
export function rowsAbout(rows: readonly SftRow[], documents: readonly string[]): SftRow[] {
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
