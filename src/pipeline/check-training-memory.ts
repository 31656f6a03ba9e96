/** Before a teacher is paid: whether its answers can be trained on here. */

import type { Material } from '../collect/collected.ts';
import type { SftRow } from '../curate/sft-row.ts';
import { tokenizeRows } from '../engine/token-samples.ts';
import { readManifest } from '../foundation/artifact.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { readHubConfig } from '../model/hub-config.ts';
import { findLocalModel } from '../model/resolve.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { planTrainingMemory } from '../train/training-size.ts';
import { trainingRows } from './training-rows.ts';

/**
 * Plans the memory of every student that is not trained yet, as `train` does: on the curated rows, else on documents with answers of
 * the usual length. Fetches nothing: where a student's weights are not here, it says that this is left to `train`.
 *
 * @throws UserError where a training does not fit, with what would
 */
export async function checkTrainingMemory(
  recipe: Recipe,
  folder: RunFolder,
  material: Material,
  context: RunContext,
): Promise<void> {
  if (material.splits.train.length === 0) return;
  for (const student of recipe.students) {
    const { name } = student;
    if (readManifest(folder.student(name)) !== undefined) continue;
    const settings = studentTrain(recipe, student);
    const model = await findLocalModel(settings.model, context);
    if (model === undefined) {
      const message = `Whether the training of ${name} fits into memory is told when it begins: the weights of ${settings.model} are not here yet (mga doctor fetches them)`;
      context.emit({ type: 'log', level: 'info', message });
      continue;
    }
    const tokenizer = await loadTokenizer(model.folder);
    const { job, longest } = trainingRows(student, { recipe, folder, material, meanTokens: () => undefined });
    const tokenized = (rows: readonly SftRow[]) => tokenizeRows(rows, tokenizer, settings.maxTokens).samples;
    const samples = [...tokenized(job.train), ...tokenized(longest)];
    if (samples.length > 0) planTrainingMemory(readHubConfig(model.folder), samples, settings, recipe.seed, name);
  }
}
