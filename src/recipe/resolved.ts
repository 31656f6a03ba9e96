/** The resolved recipe kept in the run folder: every default filled in, every override applied. */

import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { loadRecipe } from './load.ts';
import type { Recipe } from './schema.ts';

/** Writes `recipe` to the run folder, as YAML that `mga run` takes again. */
export function writeResolvedRecipe(recipe: Recipe, folder: RunFolder): void {
  const header = '# What this run was made from: the recipe with its defaults and overrides.\n';
  writeFileAtomic(folder.recipe, header + stringify(recipe, { lineWidth: 120 }));
}

/** The recipe a run was made from. */
export function readResolvedRecipe(folder: RunFolder): Recipe {
  if (!existsSync(folder.recipe)) {
    throw new UserError(`Cannot read the run ${folder.root}: it holds no recipe.yaml`, 'Give the folder of a run');
  }
  return loadRecipe(folder.recipe);
}
