/** What people said of a stage's outputs, in the ledger or in a file, and of the teacher's texts as they were collected. */

import type { Collected } from '../collect/collected.ts';
import { collectedOutputs } from './collected-outputs.ts';
import { type FurtherScores, readFurtherScores } from './further-scores.ts';
import type { GenerationLine } from './generations.ts';
import { doubleRatings, peoplesScores } from './ratings.ts';
import type { ReliabilitySources } from './reliability.ts';

/**
 * Where both rated an output, the ledger counts.
 *
 * @param outputs of all arms of the stage
 * @param file `validate.humanScores`
 * @throws UserError for a file that cannot be read
 */
export async function peoplesLabels(
  stage: string,
  outputs: readonly GenerationLine[],
  collected: Collected,
  file: string | undefined,
): Promise<Pick<ReliabilitySources, 'human' | 'raters' | 'collected'>> {
  const fromFile = file === undefined ? undefined : await readFurtherScores(file);
  const ratings = collected.ratings.filter((line) => line.stage === stage);
  const own = collectedOutputs(stage, collected);
  const rated = peoplesScores(outputs, ratings);
  const ratedCollected = peoplesScores(own.outputs, ratings);
  if (!rated && !ratedCollected && !fromFile) return {};
  const human: FurtherScores = (item) => rated?.(item) ?? ratedCollected?.(item) ?? fromFile?.(item);
  return { human, raters: doubleRatings(ratings), ...(ratedCollected && { collected: own.items }) };
}
