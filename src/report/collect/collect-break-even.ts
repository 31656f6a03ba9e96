/** The ledger and the artifacts -> what a million documents cost by the teacher and by the students, as `mga plan` computes it. */

import { existsSync } from 'node:fs';
import { errorMessage, UserError } from '../../foundation/errors.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { runBreakEven } from '../../price/run-break-even.ts';
import { studentSpeed } from '../../price/student-speed.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Note } from '../read-artifact.ts';
import type { ReportData } from '../run-data.ts';

/** Undefined parts where the run is not so far yet; what cannot be read is said in a note. */
export async function collectBreakEven(
  recipe: Recipe,
  folder: RunFolder,
  note: Note,
): Promise<Pick<ReportData, 'breakEven' | 'studentSpeed'>> {
  const speed = studentSpeed(recipe, folder);
  // Reading the material of a run without splits would draw them.
  if (!existsSync(folder.splits)) return { breakEven: undefined, studentSpeed: speed };
  try {
    return { breakEven: await runBreakEven(recipe, folder), studentSpeed: speed };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`The price of a million documents is left out: ${errorMessage(error)}.`);
    return { breakEven: undefined, studentSpeed: speed };
  }
}
