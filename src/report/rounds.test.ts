/** The part of the report that tells of several rounds. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, expect, test } from 'vitest';
import { makeRun } from '../../test/golden/report/make-run.ts';
import { writeReport } from './report.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-report-rounds-'));
afterAll(() => rmSync(root, { recursive: true }));

const round = (number: number, usable: number, gain: number | null) => ({
  round: number,
  documents: { added: 40, failed: number === 1 ? 0 : 20, so_far: 40 * number },
  added: { reformulate: { collected: 200, parsed: 199, kept: 180, dropped: {}, train: 180, dev: 0 } },
  stages: { reformulate: { collected: 250, parsed: 249, kept: 220, dropped: {}, train: 180 * number, dev: 40 } },
  dev: {
    documents: 14,
    judge: 'local',
    stages: [{ stage: 'reformulate', outputs: 28, student: usable, teacher: 1, student_rate: 0.6, teacher_rate: 1 }],
    usable,
    teacher: 1,
  },
  gain,
  gain_ci: gain === null ? null : [gain - 0.1, gain + 0.1],
  rejudged: [
    {
      by: 'the local judge',
      texts: 50,
      documents: 10,
      unscored: 0,
      mean: 5,
      mean_again: 4.62,
      rate: 1,
      rate_again: 0.96,
      rate_ci: [-0.1, 0],
      lost: 0.08,
    },
  ],
  usd: 0,
});

test('the report shows funnel, gain and shrinkage of each round, and warns of the judge', async () => {
  const { recipe, folder } = makeRun(join(root, 'run'));
  mkdirSync(dirname(folder.rounds), { recursive: true });
  const warnings = ['The local judge steered the rounds and also makes the table.'];
  const rounds = [round(1, 0.25, null), round(2, 0.4, 0.15)];
  writeFileSync(
    folder.rounds,
    JSON.stringify({ count: 2, rounds, chosen: 2, stopped: 'count', warnings, sentences: [] }),
  );
  await writeReport(recipe, folder, { emit: () => {}, signal: new AbortController().signal });
  const { document } = parseHTML(readFileSync(folder.report, 'utf8'));
  const panels = [...document.querySelectorAll('#rounds .panel')];
  const rows = (heading: string) => {
    const panel = panels.find((one) => one.querySelector('h3')?.textContent === heading)!;
    return [...panel.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll('th, td')].map(({ textContent }) => textContent.trim()).join(' | '),
    );
  };
  expect(rows('Funnel')).toEqual([
    '1 | 40 | 0 | Reformulation | 200 | 199 | 180 | 180',
    '2 | 40 | 20 | Reformulation | 200 | 199 | 180 | 360',
  ]);
  expect(rows('Gain')).toEqual([
    '1 | Reformulation | 28 | 25.0% | 100.0% | 60.0% | 100.0% | ',
    '1 | All outputs |  | 25.0% |  |  |  | –',
    '2 | Reformulation | 28 | 40.0% | 100.0% | 60.0% | 100.0% | ',
    '2 | All outputs |  | 40.0% |  |  |  | +15.0+5.0 to +25.0',
  ]);
  expect(rows('Kept texts, judged again')[1]).toBe('2 | the local judge | 50 | 5.00 | 4.62 | 100.0% | 96.0% | 8.0%');
  expect([...document.querySelectorAll('#rounds svg')].map((svg) => svg.getAttribute('aria-label'))).toEqual([
    'Usable dev outputs by round: round 1: 25.0%, round 2: 40.0%',
    'Gain of usable dev outputs by round, in points: round 2: +15.0 (95% interval +5.0 to +25.0)',
  ]);
  expect(document.querySelector('#rounds')!.textContent).toContain('Careful: The local judge steered');
  expect(document.querySelector('nav a[href="#rounds"]')).not.toBeNull();
});
