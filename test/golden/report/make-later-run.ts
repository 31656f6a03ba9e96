/** A second run of the fixture's recipe whose deployed student does better: what the tests of comparisons read beside the first. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../../../src/foundation/run-folder.ts';
import { type Recipe, recipeSchema } from '../../../src/recipe/schema.ts';
import { type FixtureOptions, makeRun } from './make-run.ts';

type Row = Record<string, unknown> & { arm: string; score: number | null; text: string };

/** The student in W8A8 scores one more wherever it can, ends each text otherwise, and has learnt to lower losses with two epochs. */
export function makeLaterRun(root: string, options: FixtureOptions = {}): { recipe: Recipe; folder: RunFolder } {
  const { recipe: first, folder } = makeRun(root, options);
  const recipe = recipeSchema.parse({
    name: first.name,
    seed: first.seed,
    corpus: { path: first.corpus.path },
    teacher: first.teacher,
    students: first.students,
    train: { epochs: 2 },
    curate: { minScore: 5 },
  });
  edit(join(folder.validation, 'scores.jsonl'), (row) => {
    if (row.arm !== 'student-w8a8' || row.score === null) return row;
    const score = Math.min(5, row.score + 1);
    return { ...row, score, usable: score >= 3 && row.copied !== true && row.complete === true };
  });
  edit(join(folder.validation, 'generations.jsonl'), (row) =>
    row.arm === 'student-w8a8' ? { ...row, text: `${row.text.slice(0, -20)} and that is how it ends.` } : row,
  );
  edit(join(folder.student('writer'), 'losses.jsonl'), (row) => ({
    ...row,
    ...(typeof row.loss === 'number' && { loss: row.loss - 0.2 }),
    ...(typeof row.dev_loss === 'number' && { dev_loss: row.dev_loss - 0.2 }),
  }));
  return { recipe, folder };
}

function edit(path: string, change: (row: Row) => Record<string, unknown>): void {
  const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(change(JSON.parse(row) as Row))}\n`).join(''));
}
