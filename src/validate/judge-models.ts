/** Who judges a table, who labeled, and whether one judge also chose the training texts. */

import { validationJudging } from '../collect/judges.ts';
import type { Recipe } from '../recipe/schema.ts';

export interface JudgeModels {
  judge: string;
  labeler: string;
  /** The same model by the same prompt: its errors are in the training texts. */
  alsoFilters: boolean;
}

/**
 * For tables that an LLM judges.
 *
 * @param ownStage a stage of the recipe's own, whose rubric is one and the same in collect and in validation
 */
export function judgeModels(recipe: Recipe, ownStage?: string): JudgeModels {
  const nameOf = (teacher: Recipe['teacher']) => (teacher.kind === 'openai' ? teacher.model : 'a recording');
  const { teacher, judge } = recipe;
  const own = validationJudging(recipe);
  const settings = own.teacher ?? teacher;
  const filter = judge.teacher ?? teacher;
  const filters = ownStage === undefined ? recipe.collect.stages.includes('judge') : true;
  const samePrompt = ownStage !== undefined || (own.prompt === judge.prompt && own.rubric === judge.rubric);
  return {
    judge: nameOf(settings),
    labeler: nameOf(teacher),
    alsoFilters: filters && nameOf(settings) === nameOf(filter) && samePrompt,
  };
}
