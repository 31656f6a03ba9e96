/** The sampling of one student: the recipe's `generate` section with the student's own overrides on top. */

import type { GenerationSettings, Recipe, StudentSettings } from './schema.ts';

/** Settings by which `student`, and the untrained base it is compared with, answer. */
export function studentGenerate(recipe: Recipe, student: StudentSettings): GenerationSettings {
  const set = Object.entries(student.generate ?? {}).filter(([, value]) => value !== undefined);
  return { ...recipe.generate, ...Object.fromEntries(set) };
}
