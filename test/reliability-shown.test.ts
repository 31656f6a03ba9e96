/** What is known of a judge stands in what mga validate prints and in report.html: every part of the reliability block. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, expect, test } from 'vitest';
import { writeReport } from '../src/report/report.ts';
import { reliabilityOf } from '../src/validate/reliability.ts';
import { renderTables } from '../src/validate/render.ts';
import type { ScoredItem } from '../src/validate/scored-item.ts';
import { stageTable } from '../src/validate/table.ts';
import { makeRun } from './golden/report/make-run.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-reliability-'));
afterAll(() => rmSync(root, { recursive: true }));

const judge = {
  kind: 'teacher' as const,
  description: 'gpt-4.1, 2 judgements a text.',
  // Rows: the reference judge. 3 and 4 meet once.
  confusion: [
    [4, 0, 0, 0, 0],
    [0, 3, 0, 0, 0],
    [0, 0, 5, 1, 0],
    [0, 0, 0, 6, 0],
    [0, 0, 0, 0, 91],
  ],
};
const options = { judge, margin: 3, resamples: 200, seed: 1 };

/** Two inputs a document, the second one longer; the judge lets long ones pass, the second judge and people do not. */
const items: ScoredItem[] = ['teacher', 'student'].flatMap((arm) =>
  Array.from({ length: 60 }, (_, i) => {
    const [doc, k] = [Math.floor(i / 2), i % 2];
    const score = arm === 'teacher' ? 5 : k === 1 ? 4 : doc % 2 === 0 ? 2 : 4;
    const id = { stage: 'reformulate', doc_id: `d${doc}`, item: `d${doc}/${k + 1}` };
    return { arm, model: 'm', ...id, score, words: 80 + 200 * k + doc };
  }),
);
const sterner = ({ arm, score, item }: ScoredItem) => (arm === 'student' && item.endsWith('/2') ? 2 : score);

test('every part of the reliability block is printed by mga validate and stands in the report', async () => {
  const table = stageTable('reformulate', items, options);
  const reliability = reliabilityOf({
    table,
    items,
    options,
    second: sterner,
    human: sterner,
    raters: [
      { docId: 'd1', first: 4, second: 4 },
      { docId: 'd2', first: 2, second: 3 },
    ],
    repeats: Array.from({ length: 20 }, (_, i) => ({ docId: `d${i}`, scores: i % 4 === 0 ? [5, 4] : [5, 5] })),
    keptFrom: 5,
    canaries: { texts: 10, caught: 0.5, unscored: 0, by_kind: [] },
    models: { judge: 'gpt-4.1', labeler: 'gpt-4.1-mini', alsoFilters: false },
  });
  const whole = { ...table, reliability };
  const printed = renderTables([whole], 'text').replace(/\s+/g, ' ');

  const { recipe, folder } = makeRun(join(root, 'run'));
  writeFileSync(folder.table1, JSON.stringify([whole]));
  await writeReport(recipe, folder, { emit: () => {}, signal: new AbortController().signal });
  const { document } = parseHTML(readFileSync(folder.report, 'utf8'));
  const shown = document.querySelector('#table')!.textContent.replace(/\s+/g, ' ');

  const said: Record<string, RegExp> = {
    'repeat agreement': /The same text judged again: 20 texts of 20 documents, equal 75\.0%, Rate flips 0\.0%/,
    'quadratic-weighted kappa': /quadratic-weighted kappa -?\d\.\d\d \[/,
    'ordinal alpha and AC2': /ordinal alpha 0\.\d\d, AC2 0\.\d\d\./,
    'second judge': /Second judge: 120 texts of 30 documents, equal 75\.0%/,
    'Diff under the second judge': /student has Diff -25\.00 \(fail\) by the first and -75\.00 \(fail\) by the second/,
    'human labels':
      /People on 60 outputs of student: sensitivity 100\.0%, specificity 33\.3%; Rate\(>=3\) 75\.0%, corrected 25\.0% \[/,
    'people among themselves': /People who rated the same: 2 texts of 2 documents/,
    'length regression': /Length: a doubling changes Rate\(>=3\) by \+\d+\.\d points/,
    'warning of length': /Length counts: a text twice as long passes/,
    'ceiling alarm': /Ceiling: 100% of the scores of teacher are 5\./,
    canaries: /Texts with planted faults shown to this judge: 5 of 10 canaries caught/,
    'warning of canaries': /The judge did not catch 5 of 10 texts with planted faults\./,
    'same family': /The judge gpt-4\.1 and the labeler gpt-4\.1-mini are of one family \(OpenAI\)/,
    'people against the judge': /People disagree with the judge's Rate\(>=3\) of student: 75\.0% by the judge, 25\.0%/,
    shrinkage: /Texts kept for training had 5\.00 on average, and 4\.75 when judged again \(20 texts\)\./,
  };
  for (const [what, words] of Object.entries(said)) {
    expect(printed, `mga validate: ${what}`).toMatch(words);
    expect(shown, `report.html: ${what}`).toMatch(words);
  }
  expect(reliability.second!.confusion).toEqual([
    [0, 0, 0, 0, 0],
    [0, 15, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 30, 0, 15, 0],
    [0, 0, 0, 0, 60],
  ]);
  expect(printed).toContain('Reference judge \\ this one 1 2 3 4 5 1 4 0 0 0 0 2 0 3 0 0 0 3 0 0 5 1 0');
  expect(printed).toContain('This judge \\ second judge 1 2 3 4 5 1 0 0 0 0 0 2 0 15 0 0 0');
  const captions = [...document.querySelectorAll('#table details caption')].map(({ textContent }) => textContent);
  expect(captions).toEqual(
    [
      ['reference judge', 'this judge'],
      ['judged', 'judged again'],
      ['this judge', 'second judge'],
      ['one person', 'another'],
    ].map(([first, second]) => `Rows: score, ${first}; columns: score, ${second}`),
  );
});
