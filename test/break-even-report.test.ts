/** What the report says of a million documents: what mga plan computes of the same run. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, expect, test } from 'vitest';
import { planRun } from '../src/cli/run-plan.ts';
import { collectRun } from '../src/report/collect/collect-run.ts';
import { writeReport } from '../src/report/report.ts';
import { makeFullRun } from './golden/report/make-full-run.ts';
import { makeRun } from './golden/report/make-run.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-break-even-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Bootstraps and pictures, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 300_000;

const context = { emit: () => {}, signal: new AbortController().signal };

function read(path: string, selector: string) {
  const { document } = parseHTML(readFileSync(path, 'utf8'));
  return [...document.querySelectorAll(selector)].map((part) => part.textContent.replace(/\s+/g, ' ').trim());
}

test(
  'the report has the figures of mga plan, and times of answers by stage',
  async () => {
    const { recipe, folder } = await makeFullRun(join(root, 'priced'));
    const { breakEven } = await planRun(recipe, folder);
    const data = await collectRun(recipe, folder, context.signal);
    expect(data.breakEven!.teacher!.usd.value).toBeGreaterThan(1000);
    expect(data.breakEven).toEqual(breakEven);

    await writeReport(recipe, folder, context);
    const rows = read(folder.report, '#break-even tbody tr');
    const money = (usd: number) =>
      `$${usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
    expect(rows[0]).toContain(`By the teacher${money(breakEven.teacher!.usd.value)}95% interval`);
    expect(rows[1]).toContain(`${money(breakEven.student!.usd!)}`);
    expect(rows[3]).toBe(`Before the first: training24 min 44 s, ${'$0.049'}`);
    expect(read(folder.report, '#break-even p')).toEqual([
      `The students are cheaper after ${breakEven.cheaperAfter!.toLocaleString('en')} documents (this machine: $0.12 an hour).`,
    ]);
    // 1.2 s a reformulation and 1.4 s a pairs answer, of a batch that is side by side.
    const times = read(folder.report, '#cost table caption ~ tbody tr');
    expect(times.map((row) => row.replace(/\d.*/, ''))).toEqual(['Genre-audience pairs', 'Reformulation']);
    expect(read(folder.report, '#cost .panel:first-child thead th')).toContain('Time an answer');
  },
  TIMEOUT_MS,
);

test(
  'a teacher without a price, and a corpus that is gone, are said',
  async () => {
    const { recipe, folder } = makeRun(join(root, 'recorded'));
    await writeReport(recipe, folder, context);
    expect(read(folder.report, '#break-even p')[0]).toContain('The teacher costs nothing');
    rmSync(recipe.corpus.path);
    await writeReport(recipe, folder, context);
    expect(read(folder.report, '#break-even')).toEqual([]);
    expect(read(folder.report, '.notes')[0]).toContain('The price of a million documents is left out');
  },
  TIMEOUT_MS,
);
