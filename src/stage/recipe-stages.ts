/** The stages a recipe may name. Whatever runs over stages takes them from here. */

import type { Recipe } from '../recipe/schema.ts';
import { judgeStage } from './judge.ts';
import { pairsStage } from './pairs.ts';
import { reformulateStage } from './reformulate.ts';
import type { AnyStage } from './stage.ts';

/** In the order in which they build on each other. */
const BUILT_IN: readonly AnyStage[] = [pairsStage, reformulateStage, judgeStage];

/** The stages whose answers the recipe collects, in the order in which they build on each other. */
export function collectedStages({ collect }: Pick<Recipe, 'collect'>): AnyStage[] {
  return BUILT_IN.filter(({ name }) => collect.stages.includes(name));
}

/** The stages that some student of the recipe learns, in the same order. */
export function learntStages({ students }: Pick<Recipe, 'students'>): AnyStage[] {
  return BUILT_IN.filter(({ name }) => students.some(({ stages }) => stages.includes(name)));
}
