/**
 * The cleaning rules on the recorded teacher: what they drop of its real reformulations (`base`, all of them good) and of its
 * imitated failures (`flawed`; most drift or contradict, which no rule of the surface can see). The table is the report.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { nearDuplicates } from '../src/corpus/near-duplicates.ts';
import { firstObjection, RULES } from '../src/curate/rules.ts';

interface TextRow {
  id: string;
  doc_id: string;
  kind: string;
  text: string;
}

const SETTINGS = { minKeywordCoverage: 0.1, maxCopied: 0.5 };
const read = <T>(name: string): T[] =>
  readFileSync(fileURLToPath(new URL(`../data/recorded/${name}`, import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const sources = new Map(read<{ id: string; text: string }>('documents.jsonl').map(({ id, text }) => [id, text]));
const texts = read<TextRow>('texts.jsonl');
const sample = ({ text, doc_id }: TextRow) => ({ text, source: sources.get(doc_id)! });
const base = texts.filter(({ kind }) => kind === 'base');
const flawed = texts.filter(({ kind }) => kind === 'flawed');

/** Precision: flawed among dropped. Recall: dropped among flawed. In percent. */
function line(name: string, drops: (row: TextRow) => boolean): string {
  const [good, bad] = [base.filter(drops).length, flawed.filter(drops).length];
  const precision = good + bad === 0 ? '  -' : `${Math.round((100 * bad) / (good + bad))}`.padStart(3);
  const recall = `${Math.round((100 * bad) / flawed.length)}`.padStart(3);
  return `${name.padEnd(16)} base ${String(good).padStart(2)} flawed ${String(bad).padStart(3)} precision ${precision} recall ${recall}`;
}

test('the rules drop at most 1% of the teacher and most of its imitated failures', () => {
  const every = (row: TextRow) => firstObjection(sample(row), SETTINGS) !== undefined;
  const report = [
    ...RULES.map((rule) => line(rule.name, (row) => !rule.check(sample(row), SETTINGS).keep)),
    line('all rules', every),
  ];
  expect(`${base.length} base, ${flawed.length} flawed\n${report.join('\n')}`).toMatchInlineSnapshot(`
    "1150 base, 160 flawed
    garbage          base  0 flawed   0 precision   - recall   0
    markdown-fences  base  0 flawed   0 precision   - recall   0
    boilerplate      base  1 flawed  12 precision  92 recall   8
    loops            base  0 flawed  27 precision 100 recall  17
    truncation       base  1 flawed  39 precision  98 recall  24
    language         base  0 flawed   0 precision   - recall   0
    length-ratio     base  0 flawed  11 precision 100 recall   7
    copying          base  0 flawed   0 precision   - recall   0
    keyword-coverage base  8 flawed  82 precision  91 recall  51
    all rules        base 10 flawed 100 precision  91 recall  63"
  `);
  expect(base.filter(every).length / base.length).toBeLessThanOrEqual(0.01);
  const grave = flawed.filter(({ id }) => id.endsWith('f2'));
  expect(grave.filter(every).length / grave.length).toBeGreaterThan(0.95);
});

test("no two of the teacher's reformulations are near-duplicates", () => {
  expect([...nearDuplicates(base)]).toEqual([]);
});
