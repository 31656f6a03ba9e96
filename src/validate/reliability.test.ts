import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { humanCorrection } from './human-correction.ts';
import { lengthEffect } from './length-effect.ts';
import { reliabilityOf } from './reliability.ts';
import type { ScoredItem } from './scored-item.ts';
import { stageTable } from './table.ts';

const judge = { kind: 'teacher' as const, description: 'The labeler.' };
const options = { judge, margin: 3, resamples: 300, seed: 1 };

/** Five inputs a document; `score` decides, and longer texts go to later items. */
function items(arms: Record<string, (doc: number, k: number) => number>, documents = 40): ScoredItem[] {
  return Object.entries(arms).flatMap(([arm, score]) =>
    Array.from({ length: documents * 5 }, (_, i) => {
      const [doc, k] = [Math.floor(i / 5), i % 5];
      const id = { stage: 'reformulate', doc_id: `d${doc}`, item: `d${doc}/${k + 1}` };
      return { arm, model: 'm', ...id, score: score(doc, k), words: 100 * 2 ** k };
    }),
  );
}

test('reliabilityOf() recomputes Diff under a second judge, and says where its verdict differs', () => {
  const scored = items({ teacher: () => 5, student: () => 5 });
  const table = stageTable('reformulate', scored, options);
  expect(table.rows[1]!.diff).toBe(0);
  const second = (item: ScoredItem) => (item.arm === 'student' && item.item.endsWith('1') ? 1 : 4);
  const block = reliabilityOf({ table, items: scored, options, second });
  expect(block.second).toMatchObject({ texts: 400, documents: 40, exact: 0, flips: 0.1 });
  expect(block.second!.shift).toBeCloseTo(-1.3, 12);
  expect(block.second!.rows).toMatchObject([{ arm: 'student', diff: 0, second_diff: -0.2, second_verdict: 'fail' }]);
  expect(block.warnings.join('\n')).toContain('second judge changes the verdict of student');
  expect(block.warnings.join('\n')).toContain('Ceiling: 100% of the scores of teacher are 5');
  expect(block.warnings[0]).toContain('their own family');
  expect(block.sentences.join('\n')).toMatch(/AC2 0\.\d\d; mean score -1\.30/);
});

test('reliabilityOf() compares only inputs that the second judge saw of every arm', () => {
  const scored = items({ teacher: () => 5, student: () => 4 });
  const table = stageTable('reformulate', scored, options);
  const second = (item: ScoredItem) =>
    item.arm === 'teacher' || Number(item.doc_id.slice(1)) < 10 ? (item.score ?? 1) : undefined;
  expect(reliabilityOf({ table, items: scored, options, second }).second).toMatchObject({ texts: 100, documents: 10 });
});

test('reliabilityOf() measures repeats and the shrinkage of what was kept', () => {
  const scored = items({ teacher: () => 4, student: () => 3 });
  const table = stageTable('reformulate', scored, options);
  const repeats = [
    { docId: 'a', scores: [5, 4] },
    { docId: 'b', scores: [5, 5] },
    { docId: 'c', scores: [2, 3, 3] },
    { docId: 'd', scores: [4] },
  ];
  const block = reliabilityOf({
    table,
    items: scored,
    options,
    repeats,
    keptFrom: 4,
    canaries: { texts: 10, caught: 0.5, unscored: 0, by_kind: [] },
  });
  // Pairs of repeats: 5 4, 5 5, 2 3, 2 3, 3 3.
  expect(block.repeats).toMatchObject({ texts: 3, documents: 3, exact: 2 / 5, flips: 2 / 5 });
  expect(block.repeats!.spread).toBeCloseTo(Math.sqrt((0.5 + 0 + 2 / 3) / 4), 12);
  expect(block.shrinkage).toEqual({ texts: 2, kept: 5, again: 4.5 });
  expect(block.warnings.join('\n')).toContain('did not catch 5 of 10 texts');
});

test('lengthEffect() finds a judge that rewards length, and takes it out of Diff', () => {
  const random = randomStream(3);
  // Whoever wrote it, a text passes the more likely the longer it is.
  const pass = (k: number) => (random.uniform() < 0.2 + 0.15 * k ? 4 : 1);
  const scored = items({ teacher: (_, k) => pass(k), student: (_, k) => pass(k) }, 200).filter(
    (item) => item.arm === 'student' || !item.item.endsWith('1'),
  );
  const { slope, slope_ci, rows } = lengthEffect(scored, 'teacher', options)!;
  expect(slope).toBeCloseTo(0.15, 1);
  expect(slope_ci[0]).toBeGreaterThan(0);
  const student = rows.find((row) => row.arm === 'student')!;
  expect(Math.abs(student.diff_at_equal_length)).toBeLessThan(Math.abs(student.diff));
  expect(lengthEffect(items({ teacher: () => 5 }, 1), 'teacher', options)).toBeUndefined();
});

test('humanCorrection() gives back the true rate of a judge with known errors', () => {
  // 60 of 100 are good; the judge passes 54 of them (90%) and 8 of the 40 bad ones (specificity 80%).
  const outputs = Array.from({ length: 100 }, (_, i) => ({
    docId: `d${Math.floor(i / 5)}`,
    score: i < 54 || i >= 92 ? 4 : 2,
    human: i < 60 ? 4 : 2,
  }));
  const found = humanCorrection(outputs, 3, options);
  expect(found).toMatchObject({ texts: 100, sensitivity: 0.9, specificity: 0.8, rate: 0.62 });
  expect(found.corrected).toBeCloseTo(0.6, 12);
  expect(found.corrected_ci![0]).toBeLessThan(0.6);
  expect(humanCorrection([{ docId: 'a', score: 4 }], 3, options)).toMatchObject({
    corrected: null,
    corrected_ci: null,
  });
});
