/** Whether the LLM that makes the table also filters the training texts. */

import type { Recipe } from './schema.ts';

/** The same model, prompt and rubric judge what is kept for training and what is counted in the table. */
export function isSameJudge({ collect, teacher, judge, validate }: Recipe): boolean {
  if (validate.judge.kind !== 'teacher' || !collect.stages.includes('judge')) return false;
  const table = { ...judge, ...validate.judge };
  const [first, second] = [judge.teacher ?? teacher, table.teacher ?? teacher];
  const isSameModel = first.kind === 'openai' && second.kind === 'openai' && first.model === second.model;
  return isSameModel && table.prompt === judge.prompt && table.rubric === judge.rubric;
}
