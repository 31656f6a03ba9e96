import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../../foundation/atomic-file.ts';
import { runFolder } from '../../foundation/run-folder.ts';
import { collectTables } from './collect-tables.ts';

const folder = runFolder(mkdtempSync(join(tmpdir(), 'mga-tables-')));
const notes: string[] = [];
const collect = (table?: unknown) => {
  if (table !== undefined) writeFileAtomic(folder.table1, typeof table === 'string' ? table : JSON.stringify(table));
  notes.length = 0;
  return collectTables(folder, (sentence) => notes.push(sentence));
};

afterEach(() => rmSync(folder.root, { recursive: true, force: true }));

describe('collectTables()', () => {
  it('reads rows in reading order and keeps fields it has no name for', () => {
    const student = {
      model: 's',
      arm: 'student',
      total: 70,
      rate: 0.8,
      rate_ci: [0.7, 0.9],
      diff: -0.1,
      diff_ci: null,
    };
    const teacher = {
      model: 't',
      arm: 'teacher',
      total: 70,
      counts: { 5: 60, 4: 5 },
      unscored: 0,
      rate: 0.957,
      diff: null,
    };
    const judge = { kind: 'local', kappa: 0.62, kappa_ci: [0.5, 0.7], confusion: [[1]], spread: 3 };
    const rows = [
      { ...student, gain_over_base: { usable_diff: 0.2, usable_diff_ci: [0.1, 0.3] }, design_effect: 1.4 },
      teacher,
    ];
    const [table] = collect([{ stage: 'reformulate', judge, rows }]);
    expect(table!.judge).toMatchObject({
      kappa: 0.62,
      kappaInterval: [0.5, 0.7],
      confusion: [[1]],
      further: { spread: 3 },
    });
    expect(table!.rows.map(({ arm }) => arm)).toEqual(['teacher', 'student']);
    expect(table!.rows[0]).toMatchObject({ counts: { 5: 60, 4: 5 }, rate: 0.957, diff: undefined, further: {} });
    expect(table!.rows[1]).toMatchObject({
      rateInterval: [0.7, 0.9],
      diffInterval: undefined,
      gainInterval: [0.1, 0.3],
    });
    expect(table!.rows[1]!.further).toEqual({ design_effect: 1.4 });
    expect(notes).toEqual([]);
  });

  it('takes no scores from a validity check', () => {
    const row = { model: 's', arm: 'student', total: 8, counts: { 5: 0 }, unscored: 8, rate: 0.5 };
    const [table] = collect([{ stage: 'pairs', judge: { kind: 'validity' }, rows: [row] }]);
    expect(table!.rows[0]).toMatchObject({ total: 8, counts: undefined, unscored: undefined, rate: 0.5 });
  });

  it('notes a table that is absent, damaged or no list', () => {
    expect(collect()).toEqual([]);
    expect(notes[0]).toContain('no Table 1');
    expect(collect('[{"stage":')).toEqual([]);
    expect(notes[0]).toContain('table1.json cannot be read');
    expect(collect({ stage: 'pairs' })).toEqual([]);
    expect(notes[0]).toContain('not a list');
  });
});
