/** A run folder's artifacts -> ReportData. Reads only; a run that is half done reports what it has. */

import type { RunFolder } from '../../foundation/run-folder.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { isObject, type Note, readJson, readText } from '../read-artifact.ts';
import type { ReportData } from '../run-data.ts';
import { collectBreakEven } from './collect-break-even.ts';
import { collectCollapse } from './collect-collapse.ts';
import { collectEmbeddings } from './collect-embeddings.ts';
import { collectFunnels } from './collect-funnel.ts';
import { collectLearningCurve } from './collect-learning-curve.ts';
import { collectLedger } from './collect-ledger.ts';
import { collectRounds } from './collect-rounds.ts';
import { collectSamples } from './collect-samples.ts';
import { collectSources } from './collect-sources.ts';
import { collectStudents } from './collect-students.ts';
import { collectTables } from './collect-tables.ts';
import { collectTimes } from './collect-times.ts';

/** Everything the report shows of the run in `folder`; what is missing is said in `missing`, one sentence each. */
export async function collectRun(recipe: Recipe, folder: RunFolder, signal: AbortSignal): Promise<ReportData> {
  const missing = new Set<string>();
  const note: Note = (sentence) => missing.add(sentence);
  const tables = collectTables(folder, note);
  const students = collectStudents(recipe, folder, note);
  const funnels = collectFunnels(folder, note);
  const { arms, samples, histograms } = collectSamples(folder, note);
  const sources = await collectSources(recipe, samples, note);
  const ledger = await collectLedger(folder, samples, note, signal);
  return {
    name: recipe.name,
    description: recipe.description,
    seed: recipe.seed,
    teacher: recipe.teacher.kind === 'openai' ? recipe.teacher.model : 'a recorded LLM',
    base: recipe.train.model,
    margin: recipe.validate.margin,
    documents: readSplits(folder, note),
    tables,
    funnels,
    rounds: collectRounds(folder, note),
    students,
    histograms,
    embeddings: collectEmbeddings(folder, note),
    collapse: collectCollapse(folder, note),
    learningCurve: collectLearningCurve(folder, note),
    arms,
    sources,
    ...ledger,
    ...(await collectBreakEven(recipe, folder, note)),
    ...collectTimes(recipe, folder, note),
    missing: [...missing],
    recipeText: readText(folder.recipe),
  };
}

function readSplits(folder: RunFolder, note: Note): ReportData['documents'] {
  const splits = readJson(folder.splits, note);
  if (!isObject(splits)) return undefined;
  const size = (name: string) => (Array.isArray(splits[name]) ? splits[name].length : 0);
  return { train: size('train'), dev: size('dev'), validation: size('validation') };
}
