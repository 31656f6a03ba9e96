/** Everything that `collect` asks in a run, stage after stage. */

import { CollectedReading, type Material } from '../collect/collected.ts';
import type { Recipe } from '../recipe/schema.ts';
import { collectedStages } from '../stage/recipe-stages.ts';
import type { LedgerIndex } from '../store/ledger-index.ts';
import { type RequestGroup, requestGroups } from './request-groups.ts';

export interface CollectedParts {
  material: Material;
  index: LedgerIndex;
  /** Folder of the ledger. */
  ledger: string;
  /** First requests to keep of each group. */
  previews: number;
}

/** The groups of all stages, in the order in which they are asked. */
export function collectedGroups(recipe: Recipe, { material, index, ledger, previews }: CollectedParts): RequestGroup[] {
  const reading = new CollectedReading(material, index, ledger);
  const groups: RequestGroup[] = [];
  try {
    for (const stage of collectedStages(recipe)) {
      // What a stage asks depends on the answers of those before it.
      const estimated = groups.some(({ ahead }) => ahead.requests > 0);
      const parts = { material, labeler: recipe.teacher, reading, index, ledger, previews, estimated };
      groups.push(...requestGroups(stage, parts));
      reading.readStage(stage);
    }
  } finally {
    reading.close();
  }
  return groups;
}
