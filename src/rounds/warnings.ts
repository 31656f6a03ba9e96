/** What a reader of the table has to know about the judges of the rounds. */

import { isSameJudge } from '../recipe/same-judge.ts';
import type { Recipe } from '../recipe/schema.ts';
import { steeringJudge } from './judge-students.ts';

/** A sentence a warning. */
export function warningsOf(recipe: Recipe): string[] {
  return [
    ...(isSameJudge(recipe)
      ? [
          'The LLM that filters the training texts also makes the table (rounds.sameJudge): what it is wrong about is kept, and then counted as right.',
        ]
      : []),
    ...(recipe.validate.judge.kind === 'local' && steeringJudge(recipe) === 'local'
      ? [
          'The local judge steered the rounds and also makes the table: students were chosen for pleasing it. An LLM in validate.judge would be independent.',
        ]
      : []),
  ];
}
