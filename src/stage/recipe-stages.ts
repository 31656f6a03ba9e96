/** The stages a recipe may name. Whatever runs over stages takes them from here. */

import type { Recipe } from '../recipe/schema.ts';
import { judgeStage } from './judge.ts';
import { ownStage } from './own-stage.ts';
import { pairsStage } from './pairs.ts';
import { reformulateStage } from './reformulate.ts';
import type { AnyStage } from './stage.ts';

/** In the order in which they build on each other. */
const BUILT_IN: readonly AnyStage[] = [pairsStage, reformulateStage, judgeStage];

/** All stages the recipe may name, the built-in ones first. */
function allStages({ stages }: Pick<Recipe, 'stages'>): AnyStage[] {
  return [...BUILT_IN, ...Object.entries(stages).map(([name, definition]) => ownStage(name, definition))];
}

/** The stages whose answers the recipe collects, in the order in which they build on each other. */
export function collectedStages(recipe: Pick<Recipe, 'collect' | 'stages'>): AnyStage[] {
  return allStages(recipe).filter(({ name }) => recipe.collect.stages.includes(name));
}

/** The stages that some student of the recipe learns, in the same order. */
export function learntStages(recipe: Pick<Recipe, 'students' | 'stages'>): AnyStage[] {
  return allStages(recipe).filter(({ name }) => recipe.students.some(({ stages }) => stages.includes(name)));
}
