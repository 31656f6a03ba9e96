/** Which stage's texts people rate, and by what words: one stage a review, for each has a rubric of its own. */

import { validationJudging } from '../collect/judges.ts';
import { UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import { judgeRubric } from '../stage/judge-prompts.ts';
import { collectedStages, tableStages } from '../stage/recipe-stages.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { AnyStage } from '../stage/stage.ts';
import type { ReviewFrame } from './review-outputs.ts';

export interface ReviewedStage {
  stage: AnyStage;
  /** What its judge is told of the task; undefined where every reader knows it. */
  task: string | undefined;
  /** What its judge is told of the levels. */
  rubric: string;
}

/**
 * The stage named `name`, else the first whose texts are judged from 1 to 5: `reformulate`, then the recipe's own with a rubric.
 *
 * @throws UserError where there is none, or the named one is not among them
 */
export function reviewedStage(recipe: Recipe, frame: ReviewFrame, name?: string): ReviewedStage {
  const stages = frame === 'outputs' ? tableStages(recipe) : collectedStages(recipe);
  const judged = stages.filter((one) => one.name === reformulateStage.name || recipe.stages[one.name]?.judge);
  const stage = name === undefined ? judged[0] : judged.find((one) => one.name === name);
  if (stage === undefined) {
    const names = judged.map((one) => one.name);
    throw new UserError(
      name === undefined
        ? 'Cannot review this run: none of its stages has texts with scores from 1 to 5'
        : `Cannot review stage ${name}: its texts have no scores from 1 to 5`,
      names.length > 0 ? `Stages that can be rated: ${names.join(', ')}` : 'Give a stage of the recipe a judge.rubric',
    );
  }
  const own = recipe.stages[stage.name];
  if (own?.judge) return { stage, task: own.prompt.trim(), rubric: own.judge.rubric.trim() };
  const judging = frame === 'outputs' ? validationJudging(recipe) : recipe.judge;
  return { stage, task: undefined, rubric: judgeRubric(judging) };
}
