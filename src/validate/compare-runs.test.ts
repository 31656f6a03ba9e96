import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runFolder } from '../foundation/run-folder.ts';
import { compareRuns, renderComparison } from './compare-runs.ts';

const root = mkdtempSync(join(tmpdir(), 'compare-'));
afterAll(() => rmSync(root, { recursive: true }));
const options = { margin: 3, resamples: 200, seed: 1 };

/** A validated run whose student passes `passing` of every 5 inputs of documents `from` on. */
function makeRun(name: string, passing: number, from = 0, kind = 'local') {
  const folder = runFolder(join(root, name));
  mkdirSync(folder.validation, { recursive: true });
  const rows = Array.from({ length: 100 }, (_, i) => {
    const passes = i % 5 < passing;
    const docId = `d${from + Math.floor(i / 5)}`;
    const id = { arm: 'student', model: name, stage: 'reformulate', doc_id: docId, item: `${docId}/${(i % 5) + 1}` };
    return JSON.stringify({ ...id, score: passes ? 4 : 2, copied: false, complete: true, usable: passes });
  });
  writeFileSync(join(folder.validation, 'scores.jsonl'), `${rows.join('\n')}\n`);
  writeFileSync(
    folder.table1,
    JSON.stringify([{ stage: 'reformulate', judge: { kind, description: kind }, rows: [] }]),
  );
  return folder;
}

test('compareRuns() pairs the inputs both runs answered', () => {
  const { arms, otherJudges } = compareRuns(makeRun('a', 2), makeRun('b', 4, 10), options);
  expect(otherJudges).toEqual([]);
  expect(arms).toMatchObject([
    { arm: 'student', inputs: 50, first: { rate: 0.4 }, second: { rate: 0.8, usable: 0.8 } },
  ]);
  expect(arms[0]!.second.diff).toBeCloseTo(0.4, 12);
  const text = renderComparison({ arms, otherJudges });
  expect(text).toMatch(/reformulate student +50 +40\.0% +80\.0%/);
  expect(text).toMatch(/student, first +60\.00% +40\.00% +0\.00%\n.*student, second +20\.00% +80\.00% +0\.00%/);
});

test('compareRuns() says where judges differ, and why runs without scores or common inputs have nothing in common', () => {
  const first = makeRun('c', 2);
  expect(renderComparison(compareRuns(first, makeRun('d', 2, 0, 'teacher'), options))).toContain(
    'judges of reformulate differ',
  );
  const apart = compareRuns(first, makeRun('e', 2, 500), options);
  expect(apart.arms).toEqual([]);
  expect(renderComparison(apart)).toContain('answered an input in common: validate both on the same documents');
  expect(renderComparison(compareRuns(first, runFolder(join(root, 'none')), options))).toContain('none has no scores');
});

test('compareRuns() takes no two texts for answers to one input that were asked for other readers', () => {
  const [first, second] = [makeRun('f', 2), makeRun('g', 4)];
  const asked = (folder: typeof first, audience: (i: number) => string) =>
    writeFileSync(
      join(folder.validation, 'generations.jsonl'),
      Array.from({ length: 100 }, (_, i) => {
        const item = `d${Math.floor(i / 5)}/${(i % 5) + 1}`;
        return `${JSON.stringify({ arm: 'student', stage: 'reformulate', item, genre: 'letter', audience: audience(i) })}\n`;
      }).join(''),
    );
  asked(first, () => 'millers');
  asked(second, (i) => (i < 40 ? 'millers' : 'bakers'));
  expect(compareRuns(first, second, options).arms).toMatchObject([{ inputs: 40, first: { documents: 8 } }]);
});
