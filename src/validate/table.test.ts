import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { renderTables } from './render.ts';
import type { ScoredItem } from './scored-item.ts';
import { stageTable } from './table.ts';

const judge = {
  kind: 'local' as const,
  description: 'Regression on surface features.',
  kappa: 0.7,
  kappa_ci: [0.6, 0.8] as [number, number],
  kappa_texts: 90,
  kappa_documents: 30,
};
const options = { judge, margin: 3, resamples: 500, seed: 1 };

/** Scores of `documents` x 5 inputs: each arm passes with its own probability. */
function items(documents: number, arms: Record<string, number>): ScoredItem[] {
  const random = randomStream(5);
  return Object.entries(arms).flatMap(([arm, rate]) =>
    Array.from({ length: documents * 5 }, (_, i) => {
      const passes = random.uniform() < rate;
      const docId = `d${Math.floor(i / 5)}`;
      const row = { arm, model: 'm', stage: 'reformulate', doc_id: docId, item: `${docId}/${(i % 5) + 1}` };
      return {
        ...row,
        score: passes ? 4 : 2,
        copied: arm === 'base' && passes,
        complete: true,
        usable: passes && arm !== 'base',
      };
    }),
  );
}

test('stageTable() pairs every arm with the teacher and the students with the base model', () => {
  const { rows, reference } = stageTable('reformulate', items(40, { base: 0.4, teacher: 0.95, student: 0.6 }), options);
  expect(reference).toBe('teacher');
  const [base, teacher, student] = rows;
  expect(teacher!.diff).toBeUndefined();
  expect(base!.gain_over_base).toBeUndefined();
  expect(base).toMatchObject({ total: 200, documents: 40, usable: 0, verdict: 'fail' });
  expect(base!.copied).toBeCloseTo(base!.rate, 12);
  expect(student!.diff).toBeCloseTo(student!.rate - teacher!.rate, 12);
  expect(student!.discordant!.gained - student!.discordant!.lost).toBeCloseTo(student!.diff! * 200, 9);
  expect(student!.gain_over_base!.usable_diff).toBeCloseTo(student!.usable! - 0, 12);
  expect(student!.gain_over_base!.usable_diff_ci[0]).toBeGreaterThan(0);
  expect(student!.p_adjusted!).toBeGreaterThanOrEqual(student!.p_value!);
});

test('stageTable() makes one row of several seeds, with their spread', () => {
  const scored = items(30, { teacher: 0.9, student: 0.6 });
  const again = scored
    .filter((item) => item.arm === 'student')
    .map((item, i) => ({ ...item, seed: 2, score: i % 3 === 0 ? 2 : item.score }));
  const [teacher, student] = stageTable('reformulate', [...scored, ...again], options).rows;
  expect(student!.total).toBe(2 * teacher!.total);
  expect(student!.seed_rates).toHaveLength(2);
  const [first, second] = student!.seed_rates as [number, number];
  expect(second).toBeLessThan(first);
  expect(student!.rate).toBeCloseTo((first + second) / 2, 12);
  expect(student!.seed_deviation).toBeCloseTo((first - second) / Math.SQRT2, 12);
  expect(student!.diff).toBeCloseTo(student!.rate - teacher!.rate, 12);
  expect(student!.mcnemar_p).toBeUndefined();
  expect(teacher!.seed_rates).toBeUndefined();
});

test('stageTable() does not depend on the order of the items', () => {
  const scored = items(12, { teacher: 0.9, student: 0.7 });
  const shuffled = randomStream(2).shuffle(scored);
  const byArm = (list: ScoredItem[]) =>
    stageTable('reformulate', list, options).rows.toSorted((a, b) => a.arm.localeCompare(b.arm));
  for (const [i, row] of byArm(shuffled).entries()) {
    const { diff_ci: _a, usable_diff_ci: _b, ...rest } = row;
    expect(byArm(scored)[i]).toMatchObject(rest);
  }
});

test('stageTable() of validity has rates without counts', () => {
  const valid = items(10, { teacher: 1, student: 0.5 }).map((item) => ({ ...item, score: null }));
  const validity = { kind: 'validity' as const, description: 'Valid JSON with five distinct pairs.' };
  const table = stageTable('pairs', valid, {
    ...options,
    judge: validity,
    scored: false,
    passes: (item) => item.usable === true,
  });
  expect(table.rows[0]).toMatchObject({ arm: 'teacher', rate: 1 });
  expect(table.rows[0]!.counts).toBeUndefined();
  expect(renderTables([table], 'text')).toContain('Valid');
});

test('renderTables() stays within 80 columns, says who judged, and gives Markdown', () => {
  const table = stageTable(
    'reformulate',
    items(20, { teacher: 0.95, base: 0.2, student: 0.6, 'student-w8a8': 0.6 }),
    options,
  );
  const text = renderTables([table], 'text');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(text.replace(/\s+/g, ' ')).toContain('(90 texts of 30 documents): quadratic-weighted kappa 0.70 [0.60, 0.80]');
  expect(renderTables([table], 'markdown')).toMatch(/\| Models +\| Total \|/);
});
