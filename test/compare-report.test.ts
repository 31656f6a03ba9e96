/** mga report RUN RUN2: both runs paired, and the page. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, expect, test } from 'vitest';
import { runFolder } from '../src/foundation/run-folder.ts';
import { writeComparison } from '../src/pipeline/write-comparison.ts';
import { makeLaterRun } from './golden/report/make-later-run.ts';
import { makeRun } from './golden/report/make-run.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-compare-'));
afterAll(() => rmSync(root, { recursive: true }));

const { signal } = new AbortController();

function read(path: string) {
  const { document } = parseHTML(readFileSync(path, 'utf8'));
  const texts = (selector: string) =>
    [...document.querySelectorAll(selector)].map((part) => part.textContent.replace(/\s+/g, ' ').trim());
  return { document, texts };
}

test('writeComparison() pairs two runs, and puts their tables, curves, funnels, costs and settings side by side', async () => {
  const runs = [makeRun(join(root, 'may')), makeLaterRun(join(root, 'june'))] as const;
  const { path, comparison } = await writeComparison(...runs, undefined, signal);
  expect(path).toBe(join(root, 'june', 'compare-may.html'));
  const { document, texts } = read(path);
  const { second } = comparison.arms.find(({ stage, arm }) => stage === 'reformulate' && arm === 'student-w8a8')!;
  expect(second.usable_diff).toBeGreaterThan(0);
  expect(texts('h1')[0]).toMatch(/^Student, W8A8, reformulation: june is better by \+\d+\.\d to \+\d+\.\d points$/);
  const [teacher, , , deployed] = texts('#paired .panel:first-of-type tbody tr');
  expect(teacher).toMatch(/^Teacher \(labeler LLM\)62\d\d.*100\.0%100\.0%0\.00/);
  expect(deployed).toMatch(/^Student, W8A862\d\d.*\+\d+\.\d\d\+\d+\.\d to \+\d+\.\d/);
  expect(texts('#tables .panel')).toHaveLength(2);
  expect([...document.querySelectorAll('#training svg')].map((svg) => svg.getAttribute('aria-label'))).toEqual([
    'Losses of student pairs by training step in both runs',
    'Losses of student writer by training step in both runs',
  ]);
  expect(texts('#training figcaption')[1]).toBe('may: dev loss 2.700 at step 320; june: dev loss 2.500 at step 320.');
  expect(texts('#funnel tbody tr')[0]).toBe('asked of the teacher230230');
  expect(texts('#cost tbody tr')[0]).toBe('Genre-audience pairs, recorded$0.483$0.483');
  expect(texts('#settings tbody tr')).toEqual(expect.arrayContaining(['curate.minScore45', 'train.epochs12']));
  expect(document.querySelectorAll('[style], svg style, [onclick], link[rel=stylesheet], [src]').length).toBe(0);
});

test('writeComparison() shows Table 2 of both runs, where either has it', async () => {
  const runs = [makeRun(join(root, 'base-prompt')), makeRun(join(root, 'strict-prompt'))] as const;
  const share = (rate: number) => ({ rate, ci: [rate - 0.05, rate + 0.05] });
  const { folder } = runs[1];
  const tables = JSON.parse(readFileSync(folder.table1, 'utf8')) as { rows: { arm: string }[] }[];
  const student = tables[0]!.rows.find(({ arm }) => arm === 'student-w8a8')!;
  Object.assign(student, { table2: { at_most_2: share(0.0665), at_least_4: share(0.7106), exactly_5: share(0.2467) } });
  writeFileSync(folder.table1, JSON.stringify(tables));
  const { path } = await writeComparison(...runs, undefined, signal);
  const { texts } = read(path);
  const label = 'Table 2: shares of Total at the ends of the scale of Reformulation, both runs';
  expect(texts(`#tables [aria-label="${label}"] thead th`)).toEqual([
    'Model',
    ...['Rate(≤2)', 'Rate(≥4)', 'Rate(=5)'].flatMap((head) => [`${head}base-prompt`, `${head}strict-prompt`]),
  ]);
  expect(texts(`#tables [aria-label="${label}"] tbody tr`)).toEqual([
    'Student, W8A8–6.7%1.7 to 11.7–71.1%66.1 to 76.1–24.7%19.7 to 29.7',
  ]);
  // Stages without scores have none.
  expect(texts('#tables caption').filter((caption) => caption.startsWith('Table 2'))).toHaveLength(1);
});

test('writeComparison() says what cannot be compared, and compares the rest', async () => {
  const first = makeRun(join(root, 'whole'));
  const begun = { recipe: first.recipe, folder: runFolder(join(root, 'begun')) };
  const out = join(root, 'page.html');
  const { path } = await writeComparison(first, begun, out, signal);
  expect(path).toBe(out);
  const { texts } = read(out);
  expect(texts('h1')).toEqual(['begun against whole: not on common inputs']);
  expect(texts('#paired .warning')[0]).toContain('begun has no scores: run mga validate on it first.');
  expect(texts('#samples p')).toEqual(['No arm of both runs answered the same input.']);
  expect(texts('#settings p')).toEqual(['Nothing: the same recipe was run twice.']);
  expect(texts('#training figcaption')[0]).toContain('begun: no dev loss');
  await expect(writeComparison(first, first, undefined, signal)).rejects.toThrow('Cannot compare');
});

test('the page of two runs stays under 5 MB with a thousand samples each', async () => {
  const runs = [
    makeRun(join(root, 'many'), { items: 1000 }),
    makeLaterRun(join(root, 'more'), { items: 1000 }),
  ] as const;
  const { path } = await writeComparison(...runs, undefined, signal);
  expect(statSync(path).size).toBeLessThan(5e6);
  expect(read(path).document.querySelector('#sample-data')!.textContent.length).toBeGreaterThan(1e6);
});
