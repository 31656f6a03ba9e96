/** `mga train RECIPE`: every student of a recipe, from the curated SFT sets. */

import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentJob } from './train.ts';
import { trainInWorker } from './train-in-worker.ts';

/** Trains the students one after another, each in a thread of its own; complete ones are skipped, a begun one goes on. */
export async function trainStudents(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<void> {
  for (const student of recipe.students) await trainInWorker(studentJob(recipe, folder, student), context);
}
