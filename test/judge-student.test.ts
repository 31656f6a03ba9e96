/** A judge student on the ordinary path: curated rows with hard negatives, trained, calibrated, held against the local judge. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import { curate } from '../src/curate/curate.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import { UserError } from '../src/foundation/errors.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { trainStudents } from '../src/train/train.ts';
import { chooseJudge } from '../src/validate/choose-judge.ts';

/** Documents with student-made texts, of the splits of eval/judge: few, because the student is random anyway. */
const SPLITS = {
  train: ['alder-02', 'alder-03', 'alder-13'],
  dev: ['alder-07', 'alder-12', 'alder-17'],
  validation: ['alder-01', 'alder-04', 'alder-06'],
};
const root = mkdtempSync(join(tmpdir(), 'judge-student-'));
afterAll(() => rmSync(root, { recursive: true }));
writeFileSync(join(root, 'splits.json'), JSON.stringify(SPLITS));

const recipe = loadRecipe('recipes/mga-judge.yaml', [
  `splits.file=${join(root, 'splits.json')}`,
  'train.model=tiny-random',
  'train.maxTokens=4096',
  'train.maxSteps=2',
  'train.samplesPerStep=2',
  'train.lora.rank=4',
  'curate.maxSamples=8',
  'quantize.calibrationSamples=2',
  'validate.resamples=100',
]);

test('a random judge student is held against the local judge, which stays, and the report says so', async () => {
  const folder = runFolder(join(root, 'run'));
  const events: RunEvent[] = [];
  const context = { emit: (event: RunEvent) => void events.push(event), signal: new AbortController().signal };
  await collect(recipe, folder, context);
  await curate(recipe, folder, context);
  const rows = readSft(folder.sft(1, 'judge', 'dev'));
  const made = rows.filter(({ id }) => /\/(swapped|contradicting|truncated|looping|drifting)$/.test(id));
  expect(made.length).toBe(6);
  for (const { completion, score } of rows) expect(completion[0]!.content).toBe(String(score));

  const collected = await readCollected(recipe, folder);
  await expect(chooseJudge(recipe, folder, collected, context)).rejects.toThrow(UserError);
  await trainStudents(recipe, folder, context);
  const judge = await chooseJudge(recipe, folder, collected, context);
  expect(judge.kind).toBe('local');
  const { compared, description } = judge.describe();
  expect(compared!.map(({ kind, used }) => [kind, used])).toEqual([
    ['local', true],
    ['student', false],
    ['combined', false],
  ]);
  expect(compared![1]!.difference_ci![0]).not.toBeGreaterThan(0);
  expect(description).toContain('Used: the regression.');
});
