/** The most training samples a stage keeps, by `curate.maxSamples`. */

import type { Recipe } from '../recipe/schema.ts';
import type { StageName } from '../stage/stage.ts';

/** One number holds for every stage; undefined where there is no cap. */
export function samplesAtMost(
  { maxSamples }: Pick<Recipe['curate'], 'maxSamples'>,
  stage: StageName,
): number | undefined {
  return typeof maxSamples === 'object' ? maxSamples[stage] : maxSamples;
}
