/** The learning curve of a debug-size run: nested samples, one judge, and nothing made twice. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { curate } from '../src/curate/curate.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { type LearningCurve, learningCurve, nestedRows, renderLearningCurve } from '../src/validate/learning-curve.ts';
import { sftRows } from './train-setup.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-curve-'));
afterAll(() => rmSync(root, { recursive: true }));

const recipe = loadRecipe('recipes/debug.yaml', [
  'students=[{name: writer, stages: [reformulate]}]',
  'train.maxSteps=1',
  'train.threads=1',
  'generate.maxTokens=4',
  'validate.resamples=100',
]);

test('nestedRows() draws whole documents, smaller sets parts of larger ones', () => {
  const rows = sftRows(20);
  const sets = [5, 12, 40].map((size) => nestedRows(rows, size, 3).map(({ id }) => id));
  expect(sets.map(({ length }) => length)).toEqual([5, 12, 40]);
  expect(sets[1]!.slice(0, 5)).toEqual(sets[0]);
  expect(sets[2]!.slice(0, 12)).toEqual(sets[1]);
  expect(new Set(sets[0]!.map((id) => id.split('/')[0])).size).toBe(3);
  expect(nestedRows([...rows].reverse(), 5, 3).map(({ doc_id }) => doc_id)).toEqual(
    nestedRows(rows, 5, 3).map(({ doc_id }) => doc_id),
  );
  expect(nestedRows(rows, 5, 4).map(({ id }) => id)).not.toEqual(sets[0]);
});

test('learningCurve() trains a student a size, scores all with one judge, and skips what is complete', async () => {
  const folder = runFolder(join(root, 'run'));
  const events: RunEvent[] = [];
  const context = { emit: (event: RunEvent) => void events.push(event), signal: new AbortController().signal };
  await collect(recipe, folder, context);
  await expect(learningCurve(recipe, folder, [4], context)).rejects.toThrow('no samples of stage reformulate');
  await curate(recipe, folder, context);
  await expect(learningCurve(recipe, folder, [5000], context)).rejects.toThrow('no size of 5000');

  const curve = await learningCurve(recipe, folder, [8, 4, 4, 5000], context);
  const point = (samples: number) => ({ stage: 'reformulate', student: 'writer', samples });
  expect(curve.points).toMatchObject([point(4), point(8)]);
  for (const { rate, rate_ci, dev_loss } of curve.points) {
    expect(rate_ci[0] <= rate && rate <= rate_ci[1]).toBe(true);
    expect(dev_loss).toBeGreaterThan(0);
  }
  expect(curve.points[0]!.dev_loss).not.toBe(curve.points[1]!.dev_loss);
  expect(curve.references.map(({ arm }) => arm)).toEqual(['teacher', 'base']);
  const home = join(folder.root, 'learning-curve');
  const setOf = (size: number) => readSft(runFolder(join(home, String(size))).sft(1, 'reformulate', 'train'));
  expect(setOf(8).slice(0, 4)).toEqual(setOf(4));
  expect(JSON.parse(readFileSync(join(home, 'curve.json'), 'utf8')) as LearningCurve).toEqual(curve);
  expect(renderLearningCurve(curve)).toMatch(/Learning curve +samples +Rate.*\nreformulate +4 +/);

  events.length = 0;
  expect(await learningCurve(recipe, folder, [4, 8], context)).toEqual(curve);
  const types = new Set(events.map(({ type }) => type));
  expect(types).toContain('command-skip');
  expect(types.has('step-end') || types.has('sample-made')).toBe(false);
}, 600_000);
