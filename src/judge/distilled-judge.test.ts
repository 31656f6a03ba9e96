/** The seam with a stand-in for the student's model; the model itself is in level-probabilities.test.ts and test/judge-student.test.ts. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RunEvent } from '../foundation/events.ts';
import { randomStream } from '../foundation/random.ts';
import { type RunFolder, runFolder } from '../foundation/run-folder.ts';
import { loadRecipe } from '../recipe/load.ts';
import { type DistilledTask, distilledOrLocal, type ExpectedScores } from './distilled-judge.ts';
import { fitLocalJudge, type JudgeSample } from './local-judge.ts';

const recipe = loadRecipe('recipes/debug.yaml', ['validate.resamples=200']);
const random = randomStream('distilled');
/** Texts whose words say nothing of their score, so that surface features find little. */
const samples = Array.from({ length: 30 }, (_, d) => {
  const document = { id: `d${d}`, text: `Document ${d} tells of swifts and their nests.` };
  return Array.from({ length: 5 }, (_, i): JudgeSample => {
    const score = 1 + random.integer(5);
    return { document, text: `Text ${i} of ${d}: swifts nest.`, score, kind: i === 0 ? 'base' : 'student' };
  });
}).flat();
const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `d${from + i}`);
const splits = { train: ids(0, 8), dev: ids(8, 18), validation: ids(18, 30) };
const local = fitLocalJudge(samples.slice(0, 40), { seed: 1 });
const scoreOf = new Map(samples.map(({ text, score }) => [text, score]));

let root: string;
let folder: RunFolder;
let run = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'distilled-'));
});
beforeEach(() => {
  folder = runFolder(join(root, String(run++)));
});
afterAll(() => rmSync(root, { recursive: true }));

const events: RunEvent[] = [];
const context = { emit: (event: RunEvent) => void events.push(event), signal: new AbortController().signal };
const task = (changes: Partial<DistilledTask> = {}): DistilledTask => ({
  recipe,
  folder,
  student: { name: 'judge', stages: ['judge'] },
  local,
  localReport: { description: 'Regression.', kappa: 0.1 },
  localHeldOut: [],
  samples,
  splits,
  fittedOn: 'these',
  ...changes,
});
/** A judge whose scale is its own, and who knows. */
const knowing: ExpectedScores = async (texts) => texts.map(({ text }) => 2 + 0.1 * scoreOf.get(text)!);
const asked: number[] = [];
const guessing: ExpectedScores = async (texts) => {
  asked.push(texts.length);
  const stream = randomStream('guesses');
  return texts.map(() => 1 + 4 * stream.uniform());
};

test('distilledOrLocal() uses the distilled judge where it is better, and keeps what it found', async () => {
  const judge = await distilledOrLocal(task(), context, knowing);
  const report = judge.describe();
  expect(['student', 'combined']).toContain(judge.kind);
  expect(report.kappa).toBeGreaterThan(0.9);
  expect(report.compared!.map(({ kind }) => kind)).toEqual(['local', 'student', 'combined']);
  expect(report.description).toMatch(/distilled.*Used: (the distilled judge judge alone|both together)\.$/);
  const fresh = samples.slice(0, 20).map((sample, i) => ({ id: String(i), ...sample }));
  expect(await judge.score(fresh, context.signal)).toEqual(fresh.map(({ score }) => score));
  const again = await distilledOrLocal(task(), context, guessing);
  expect(again.describe()).toEqual(report);
  expect(asked).toEqual([]);
});

test('distilledOrLocal() keeps the local judge where the distilled one is not better, and the report says so', async () => {
  const judge = await distilledOrLocal(task(), context, guessing);
  expect(judge.kind).toBe('local');
  // Hard texts of dev and validation documents, and one of the teacher's own of each.
  expect(asked).toEqual([22 * 5]);
  const { description, compared, kappa } = judge.describe();
  expect(kappa).toBe(0.1);
  expect(description).toMatch(
    /^Regression\. On the same held-out .*the distilled judge judge alone kappa .* more, at most \d+\.\d points off in Rate\(>=3\) of an arm \(student\); .*Used: the regression\.$/,
  );
  expect(compared!.filter(({ used }) => used).map(({ kind }) => kind)).toEqual(['local']);
  expect(compared![1]!.difference_ci).toHaveLength(2);
});

test('distilledOrLocal() scores again when the student, or what it is held against, changes', async () => {
  asked.length = 0;
  await distilledOrLocal(task(), context, guessing);
  await distilledOrLocal(task({ fittedOn: 'others' }), context, guessing);
  expect(asked).toHaveLength(2);
});

test('distilledOrLocal() needs texts to calibrate on, and says so without scoring any', async () => {
  asked.length = 0;
  const few = { ...splits, dev: ids(8, 10) };
  const judge = await distilledOrLocal(task({ splits: few }), context, guessing);
  expect(judge.kind).toBe('local');
  expect(asked).toEqual([]);
  expect(judge.describe().description).toContain('8 student-made or flawed texts of dev documents');
  expect(events.at(-1)).toMatchObject({ type: 'log', level: 'warn' });
});
