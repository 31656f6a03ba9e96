/** The training settings of one student: the recipe's `train` section with the student's own overrides on top. */

import type { Recipe, StudentSettings, TrainSettings } from './schema.ts';

/** Settings by which `student` is trained. */
export function studentTrain(recipe: Recipe, student: StudentSettings): TrainSettings {
  const overrides = student.train ?? {};
  return { ...recipe.train, ...overrides, lora: { ...recipe.train.lora, ...overrides.lora } };
}
