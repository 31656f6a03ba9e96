/** The paper's counts, fed in as scores, print the paper's rates to the digit. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tablesFromScores } from './from-scores.ts';
import { renderTables } from './render.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'scores-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const options = { margin: 3, resamples: 200, seed: 0 };
const TOTAL = 15_355;
/** Counts of 5, 4, 3, 2, 1 in Table 1 and Table 2 of arXiv 2502.04235. */
const PAPER = {
  'Labeler LLM': [4120, 7143, 3034, 661, 214],
  'Tool SLM': [3788, 7124, 3224, 736, 285],
  'SLM-Strict': [6814, 5220, 2384, 520, 227],
  'SLM-Relaxed': [408, 1685, 3889, 4156, 5086],
};

/** Rows of an arm: the scored responses first, then as many without a score as are missing from the total. */
function rowsOf(arm: string, counts: readonly number[]): string[] {
  const scores: (number | null)[] = counts.flatMap((count, i) => new Array<number>(count).fill(5 - i));
  while (scores.length < TOTAL) scores.push(null);
  return scores.map((score, i) =>
    JSON.stringify({ arm, doc_id: `d${Math.floor(i / 5)}`, item: `d${Math.floor(i / 5)}/${(i % 5) + 1}`, score }),
  );
}

function scoresFile(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

test('tablesFromScores() gives the tables of the paper', async () => {
  const path = scoresFile(
    'paper.jsonl',
    Object.entries(PAPER).flatMap(([arm, counts]) => rowsOf(arm, counts)),
  );
  const tables = await tablesFromScores(path, options);
  const text = renderTables(tables, 'text');
  const cells = text.split('\n').map((line) =>
    line
      .trim()
      .split(/\s{2,}/)
      .join(' | '),
  );
  expect(cells).toContain('Labeler LLM | 15,355 | 4,120 | 7,143 | 3,034 | 661 | 214 | 183 | 93.11%');
  expect(cells).toContain('Tool SLM | 15,355 | 3,788 | 7,124 | 3,224 | 736 | 285 | 198 | 92.06% | -1.05%');
  expect(cells).toContain('Tool SLM | 6.65% | 71.06% | 24.67%');
  expect(cells).toContain('SLM-Strict | 4.86% | 78.37% | 44.38%');
  expect(cells).toContain('SLM-Relaxed | 60.19% | 13.63% | 2.66%');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const { at_most_2, exactly_5 } = tables[0]!.rows.find(({ arm }) => arm === 'SLM-Relaxed')!.table2!;
  expect(at_most_2.rate).toBeCloseTo((4156 + 5086) / TOTAL, 12);
  for (const { rate, ci } of [at_most_2, exactly_5]) {
    expect(ci[0]).toBeLessThan(rate);
    expect(ci[1]).toBeGreaterThan(rate);
  }
});

test('tablesFromScores() keeps models and flags, and counts inputs an arm lacks', async () => {
  const path = scoresFile('small.jsonl', [
    '{"arm":"teacher","doc_id":"a","item":"a/1","score":5}',
    '{"arm":"student","model":"m","doc_id":"a","item":"a/1","score":null,"copied":false,"complete":false,"usable":false}',
    '{"arm":"teacher","doc_id":"b","item":"b/1","score":4}',
  ]);
  const [table] = await tablesFromScores(path, options);
  expect(table).toMatchObject({ stage: 'reformulate', reference: 'teacher', judge: { kind: 'unknown' } });
  expect(table!.rows).toMatchObject([
    { arm: 'teacher', total: 2, counts: { '5': 1, '4': 1 }, unscored: 0, rate: 1 },
    { arm: 'student', model: 'm', total: 2, unscored: 2, missing: 1, rate: 0, diff: -1, usable: 0 },
  ]);
});

test('tablesFromScores() takes rows that differ in seed as trainings of one student', async () => {
  const rows = [1, 2].flatMap((seed) =>
    ['a', 'b'].map((doc) =>
      JSON.stringify({ arm: 'student', seed, doc_id: doc, item: '1', score: seed === 1 ? 5 : 1 }),
    ),
  );
  const [table] = await tablesFromScores(scoresFile('seeds.jsonl', rows), options);
  expect(table!.rows).toMatchObject([{ total: 4, rate: 0.5, seed_rates: [1, 0] }]);
});

test('tablesFromScores() names file and line of a bad row', async () => {
  const path = scoresFile('bad.jsonl', [
    '{"arm":"x","doc_id":"a","item":"1","score":5}',
    '{"arm":"x","doc_id":"a","item":"2","score":6}',
  ]);
  await expect(tablesFromScores(path, options)).rejects.toThrow(`${path}, line 2: field \`score\``);
});

test('tablesFromScores() refuses a repeated input, an unknown reference and an empty file', async () => {
  const row = '{"arm":"x","doc_id":"a","item":"1","score":5}';
  await expect(tablesFromScores(scoresFile('twice.jsonl', [row, row]), options)).rejects.toThrow('row 2: arm x');
  await expect(tablesFromScores(scoresFile('one.jsonl', [row]), { ...options, reference: 'y' })).rejects.toThrow(
    'arm y',
  );
  await expect(tablesFromScores(scoresFile('none.jsonl', ['']), options)).rejects.toThrow('no scores');
});
