/** The stages a recipe may name. Whatever runs over stages takes them from here. */

import type { Recipe } from '../recipe/schema.ts';
import { judgeStage } from './judge.ts';
import { ownJudgeStage } from './own-judge.ts';
import { ownStage } from './own-stage.ts';
import { pairsStage } from './pairs.ts';
import { reformulateStageWith } from './reformulate.ts';
import type { AnyStage } from './stage.ts';

/** What of a recipe says how its stages are asked. */
type StageSections = Pick<Recipe, 'stages' | 'reformulate'>;

/**
 * All stages the recipe may name: the built-in ones in the order in which they build on each other, then its own, each before
 * the judge of its answers.
 */
function allStages({ stages, reformulate }: StageSections): AnyStage[] {
  const builtIn: AnyStage[] = [pairsStage, reformulateStageWith(reformulate.prompt), judgeStage];
  const own = Object.entries(stages).flatMap(([name, definition]) => [
    ownStage(name, definition),
    ...[ownJudgeStage(name, definition)].filter((judge) => judge !== undefined),
  ]);
  return [...builtIn, ...own];
}

/** The stages whose answers the recipe collects, and the judges of its own ones, in the order in which they build on each other. */
export function collectedStages(recipe: StageSections & Pick<Recipe, 'collect'>): AnyStage[] {
  return allStages(recipe).filter(({ name, judges = name }) => recipe.collect.stages.includes(judges));
}

/** The stages that some student of the recipe learns, in the same order. */
export function learntStages(recipe: StageSections & Pick<Recipe, 'students'>): AnyStage[] {
  return allStages(recipe).filter(({ name }) => recipe.students.some(({ stages }) => stages.includes(name)));
}

/** The stages that have a table: those some student learns. A `judge` student is measured by its agreement instead. */
export function tableStages(recipe: StageSections & Pick<Recipe, 'students'>): AnyStage[] {
  return learntStages(recipe).filter(({ unit }) => unit !== 'text');
}
