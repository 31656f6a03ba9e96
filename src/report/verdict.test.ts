import { describe, expect, it } from 'vitest';
import type { JudgeFacts, StageTable, TableRow } from './run-data.ts';
import { decideVerdict, deployedRow, primaryTable } from './verdict.ts';

const JUDGE: JudgeFacts = { kind: 'local', byKind: [], confusion: undefined, cascade: undefined, further: {} };

function table(stage: string, ...rows: Partial<TableRow>[]): StageTable {
  return {
    stage,
    judge: JUDGE,
    warnings: [],
    findings: [],
    confusions: [],
    measures: [],
    abstention: [],
    rows: rows.map((row) => ({ model: 'm', arm: 'student', total: 10, further: {}, ...row })),
  };
}

describe('decideVerdict()', () => {
  it.each([
    [[-0.02, 0.04], 'pass'],
    [[-0.05, 0.01], 'undecided'],
    [[-0.09, -0.04], 'fail'],
  ] as const)('takes a usable difference of %j at a margin of 3 points as %s', (usableDiffInterval, outcome) => {
    const tables = [table('reformulate', { usable: 0.5, usableDiffInterval, verdict: 'pass' })];
    expect(decideVerdict(tables, 3).outcome).toBe(outcome);
  });

  it('takes the verdict on the rate where there is no usable rate, and says what would decide', () => {
    const row = { rate: 0.9, diffInterval: [-0.05, 0.02] as const, verdict: 'undecided', documentsNeeded: 1240 };
    const verdict = decideVerdict([table('reformulate', row)], 3);
    expect(verdict.outcome).toBe('undecided');
    expect(verdict.basis).toContain('About 1,240 more documents');
  });

  it('does not decide without an interval', () => {
    expect(decideVerdict([table('reformulate', { rate: 0.9, diff: 0.2 })], 3).outcome).toBe('undecided');
  });

  it('says that nothing has been judged', () => {
    expect(decideVerdict([], 3)).toMatchObject({ outcome: 'none', headline: 'Not validated yet' });
    expect(decideVerdict([table('pairs', { arm: 'teacher' })], 3).outcome).toBe('none');
  });

  it('tells the gain over the untrained model by its interval', () => {
    const evidence = (gainInterval: readonly [number, number]) =>
      decideVerdict([table('reformulate', { usable: 0.5, gainInterval })], 3).evidence;
    expect(evidence([0.01, 0.2])).toContain('Training helped: +1.0 to +20.0 points');
    expect(evidence([-0.2, -0.01])).toContain('Training did harm');
    expect(evidence([-0.1, 0.1])).toContain('is open');
  });
});

describe('primaryTable(), deployedRow()', () => {
  it('prefer reformulation and the quantized student', () => {
    const tables = [table('pairs', {}), table('reformulate', { arm: 'student' }, { arm: 'student-w8a8' })];
    expect(primaryTable(tables)).toBe(tables[1]);
    expect(deployedRow(tables[1]!)?.arm).toBe('student-w8a8');
    expect(deployedRow(tables[0]!)?.arm).toBe('student');
  });
});
