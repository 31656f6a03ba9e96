/** students/<name>/{losses.jsonl, manifest.json} -> StudentFacts[]. */

import { join } from 'node:path';
import type { RunFolder } from '../../foundation/run-folder.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson, readJsonLines } from '../read-artifact.ts';
import type { StudentFacts } from '../run-data.ts';

/** Losses and facts of every student of the recipe; students not trained (to the end) are named in a note. */
export function collectStudents(recipe: Recipe, folder: RunFolder, note: Note): StudentFacts[] {
  return recipe.students.map((student) => {
    const home = folder.student(student.name);
    const lines = readJsonLines(join(home, 'losses.jsonl'), note);
    const manifest = readJson(join(home, 'manifest.json'), note);
    if (lines === undefined) note(`Student ${student.name} has not been trained.`);
    else if (manifest === undefined) note(`The training of student ${student.name} is not complete.`);
    const facts = isObject(manifest) && isObject(manifest.facts) ? manifest.facts : undefined;
    return {
      name: student.name,
      stages: student.stages,
      losses: series(lines ?? [], 'loss'),
      devLosses: series(lines ?? [], 'dev_loss'),
      facts: isObject(manifest) ? (facts ?? {}) : undefined,
    };
  });
}

/** The points of one loss by step. A resumed run may have written a step twice: the last line counts. */
function series(lines: readonly JsonObject[], field: string): { step: number; loss: number }[] {
  const byStep = new Map<number, number>();
  for (const line of lines) {
    const step = numberAt(line, 'step');
    const loss = numberAt(line, field);
    if (step !== undefined && loss !== undefined) byStep.set(step, loss);
  }
  return [...byStep].map(([step, loss]) => ({ step, loss })).sort((a, b) => a.step - b.step);
}
