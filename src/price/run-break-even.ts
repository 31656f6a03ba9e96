/** The break-even of a run that has its labels: from its ledger, its trainings and its validation. */

import { readMaterial } from '../collect/collected.ts';
import { readManifest } from '../foundation/artifact.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { indexLedger } from '../store/ledger-index.ts';
import { type BreakEven, breakEven } from './break-even.ts';
import { collectedGroups } from './collected-groups.ts';
import { pricePlan, stagePlan } from './price-plan.ts';
import { studentSpeed } from './student-speed.ts';

/**
 * What `mga plan` says of a finished run. Before that, labels that are still to come are counted, and what validation will ask an
 * LLM is not. Reads only: the run must have its splits.
 *
 * @throws UserError for unreadable corpus, splits or ledger
 */
export async function runBreakEven(recipe: Recipe, folder: RunFolder): Promise<BreakEven> {
  const material = await readMaterial(recipe, { ...folder, currentRound: recipe.rounds.count });
  const index = await indexLedger(folder.ledger);
  const groups = collectedGroups(recipe, { material, index, ledger: folder.ledger, previews: 0 });
  const price = pricePlan(
    groups.map((group) => stagePlan(group, recipe.collect.concurrency)),
    index.spend,
  );
  return breakEven(recipe, groups, price, studentSpeed(recipe, folder), trainedSeconds(recipe, folder));
}

/** Of all students; null where one is not trained. */
function trainedSeconds(recipe: Recipe, folder: RunFolder): number | null {
  const each = recipe.students.map(({ name }) => readManifest(folder.student(name))?.seconds);
  return each.every((one) => one !== undefined) ? each.reduce((sum, one) => sum + one, 0) : null;
}
