import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { raterAgreement } from '../statistics/rater-agreement.ts';
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

test("reliabilityOf() says how far this judge's scores are the reference judge's, whose rows a confusion matrix has", () => {
  const scored = items({ teacher: () => 4, student: () => 3 });
  // The reference gives 1 and 2 where this judge gives 2 and 2, and both 5.
  const confusion = [
    [0, 3, 0, 0, 0],
    [0, 2, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 5],
  ];
  const table = stageTable('reformulate', scored, { ...options, judge: { ...judge, kind: 'local', confusion } });
  const block = reliabilityOf({ table, items: scored, options });
  const pairs = [...Array(3).fill([1, 2]), ...Array(2).fill([2, 2]), ...Array(5).fill([5, 5])].map(
    ([first, second]) => ({ docId: 'd', first, second }),
  );
  const { alpha, ac2 } = raterAgreement(pairs, { random: randomStream(1), resamples: 10 })!;
  expect(block.reference!.alpha).toBeCloseTo(alpha!, 12);
  expect(block.reference!.ac2).toBeCloseTo(ac2!, 12);
  expect(block.reference!.alpha).toBeGreaterThan(0.8);
  expect(block.warnings[0]).toContain('it inherits their taste');
});

test('reliabilityOf() corrects the rate of each arm by what people said of its outputs', () => {
  // The judge passes everything of the student, people every second item.
  const scored = items({ teacher: () => 5, student: (_, k) => (k < 4 ? 5 : 1) });
  const table = stageTable('reformulate', scored, options);
  const human = (item: ScoredItem) =>
    item.arm === 'teacher' ? undefined : item.score === 1 || item.item.endsWith('1') ? 2 : 4;
  const [teacher, student] = reliabilityOf({ table, items: scored, options, human }).human!;
  expect(teacher).toMatchObject({ arm: 'teacher', texts: 0, corrected: null });
  // 3 of 5 are good and all pass; of 2 bad ones one passes.
  expect(student).toMatchObject({ arm: 'student', texts: 200, sensitivity: 1, specificity: 0.5, rate: 0.8 });
  expect(student!.corrected).toBeCloseTo(0.6, 12);
});

test('reliabilityOf() warns of kin, of a judge that filters, of few levels and of length', () => {
  const scored = items({ teacher: (_, k) => (k < 2 ? 1 : 4), student: (_, k) => (k < 3 ? 1 : 4) });
  const table = stageTable('reformulate', scored, options);
  const warningsFor = (models: { judge: string; labeler: string; alsoFilters: boolean }) =>
    reliabilityOf({ table, items: scored, options, models }).warnings.join('\n');
  const kin = warningsFor({ judge: 'gpt-4.1', labeler: 'gpt-4.1-mini', alsoFilters: true });
  expect(kin).toContain('are of one family (OpenAI)');
  expect(kin).toContain('The judge also chose the training texts');
  expect(kin).toContain('The scores of teacher use 2 of 5 levels.');
  expect(kin).toMatch(/Length counts: a text twice as long passes \d+\.\d points more often/);
  const other = warningsFor({ judge: 'claude-x', labeler: 'gpt-4.1-mini', alsoFilters: false });
  expect(other).not.toContain('family');
  expect(other).not.toContain('chose');
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
