import { expect, test } from 'vitest';
import { UserError } from '../foundation/errors.ts';
import { passGate } from './gate.ts';
import type { StageTable, TableRow } from './table.ts';

function table(verdicts: Record<string, 'pass' | 'fail' | 'undecided'>): StageTable {
  const rows = Object.entries(verdicts).map(
    ([arm, verdict]): TableRow => ({
      arm,
      model: arm,
      total: 10,
      documents: 2,
      rate: 0.5,
      rate_ci: [0.4, 0.6],
      design_effect: 1,
      diff: -0.05,
      verdict,
      ...(verdict === 'undecided' ? { documents_needed: 40 } : {}),
    }),
  );
  const judge = { kind: 'unknown' as const, description: '' };
  return { stage: 'reformulate', judge, reference: 'teacher', margin: 3, rows };
}

test('passGate() stops a failed student, and with strict an undecided one', () => {
  expect(() => passGate([table({ student: 'fail', 'student-w8a8': 'pass' })], 'fail')).toThrow(
    'reformulate, student: fail (-5.00 points from teacher, margin 3)',
  );
  expect(() => passGate([table({ student: 'undecided' })], 'fail')).not.toThrow();
  expect(() => passGate([table({ student: 'undecided' })], 'strict')).toThrow(/about 40 more documents/);
  expect(() => passGate([table({ student: 'fail' })], 'fail')).toThrow(UserError);
});

test('passGate() asks nothing of the untrained model', () => {
  expect(() => passGate([table({ base: 'fail', student: 'pass' })], 'strict')).not.toThrow();
});

test('passGate() does not ask for arms that only stand beside the run', () => {
  const [beside] = [table({ other: 'fail' })];
  const rows = beside!.rows.map((row) => ({ ...row, candidate: false as const }));
  expect(() => passGate([{ ...beside!, rows }], 'strict')).not.toThrow();
});
