/** From what a person names (a recipe, or the folder of a run) to the recipe and its run folder. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import { type RunFolder, runFolder } from '../foundation/run-folder.ts';
import { loadRecipe } from '../recipe/load.ts';
import type { Recipe } from '../recipe/schema.ts';

/** Where runs lie that were not told otherwise. */
const RUNS = 'checkpoints';

/** Options of every command that works on a run. */
export const RUN_OPTIONS = {
  set: { type: 'string', value: 'KEY=VALUE', multiple: true, description: 'Override a key of the recipe' },
  out: { type: 'string', value: 'DIR', description: 'Run folder; default checkpoints/<recipe name>' },
} as const;

export const RUN_ARGUMENT = { name: 'RECIPE', description: 'A recipe, or the folder of a run to go on with' } as const;

export interface NamedRun {
  recipe: Recipe;
  folder: RunFolder;
}

/** The run that `target` names. A folder stands for the recipe kept in it. */
export function openRun(target: string, options: { set?: string[]; out?: string }): NamedRun {
  const isRun = isFolder(target);
  const recipePath = isRun ? runFolder(target).recipe : target;
  if (isRun && !existsSync(recipePath)) {
    throw new UserError(
      `Cannot use the folder ${target}: it holds no recipe.yaml`,
      'Give a recipe or the folder of a run',
    );
  }
  const recipe = loadRecipe(recipePath, options.set ?? []);
  return { recipe, folder: runFolder(options.out ?? (isRun ? target : join(RUNS, recipe.name))) };
}

/** The folder of an existing run: the one named, by recipe or folder; without a name, the run touched last. */
export function findRun(target: string | undefined): RunFolder {
  if (target !== undefined) {
    const folder = isFolder(target) ? runFolder(target) : openRun(target, {}).folder;
    if (existsSync(folder.recipe)) return folder;
    throw new UserError(
      `Cannot find a run in ${folder.root}: it holds no recipe.yaml`,
      'Run the recipe first: mga run',
    );
  }
  const latest = readdirIfAny(RUNS)
    .map((name) => runFolder(join(RUNS, name)))
    .filter((folder) => existsSync(folder.recipe))
    .map((folder) => ({ folder, touched: touched(folder) }))
    .sort((a, b) => b.touched - a.touched)[0];
  if (!latest) throw new UserError(`Cannot find a run: none lies in ${RUNS}/`, 'Name the folder of a run');
  return latest.folder;
}

function touched(folder: RunFolder): number {
  return statSync(existsSync(folder.status) ? folder.status : folder.recipe).mtimeMs;
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function readdirIfAny(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
