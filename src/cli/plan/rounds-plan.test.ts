import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFolder } from '../../foundation/run-folder.ts';
import { loadRecipe } from '../../recipe/load.ts';
import { planRun } from '../run-plan.ts';
import { renderPlan } from './render-plan.ts';

const newFolder = () => runFolder(join(mkdtempSync(join(tmpdir(), 'plan-rounds-')), 'run'));

test('a plan counts the documents of all rounds, and shares their requests out', async () => {
  const recipe = loadRecipe('recipes/debug.yaml', ['corpus.limit=20', 'rounds.count=3']);
  const plan = await planRun(recipe, newFolder());
  expect(plan.documents).toEqual({ train: 10, dev: 5, validation: 5 });
  expect(plan.rounds!.rounds.map(({ documents }) => documents)).toEqual([4, 4, 2]);
  const requests = plan.stages.reduce((sum, { total }) => sum + total, 0);
  const shared = plan.rounds!.rounds.reduce((sum, one) => sum + one.requests, 0);
  expect(Math.abs(shared - requests)).toBeLessThan(3);
  expect(plan.rounds!.held).toBeNull();
  expect(plan.stages.some(({ stage }) => stage.startsWith('rounds'))).toBe(false);
});

test('mga plan prices the shape of the paper from a few documents', async () => {
  const recipe = loadRecipe('recipes/paper.yaml', ['corpus.limit=40', 'rounds.documents=500', 'rounds.devDocuments=4']);
  const plan = await planRun(recipe, newFolder());
  expect(plan.documents.train).toBe(1500);
  expect(plan.rounds!.rounds.map(({ documents }) => documents)).toEqual([500, 500, 500]);
  expect(plan.rounds!.held).toBeLessThan(40);
  const total = (stage: string) => plan.stages.find((one) => one.stage === stage)!.total;
  const all = plan.documents.train + plan.documents.dev + plan.documents.validation;
  expect(total('pairs')).toBe(all);
  expect(total('reformulate')).toBe(5 * all);
  // Three rounds of 4 dev documents with five pairs each, two trials of 500 documents, and the canaries of one table.
  expect(total('rounds: judge students')).toBe(3 * 4 * 5 + 2 * 500 + 20);
  expect(total('rounds: judge again')).toBe(3 * 500);
  expect(plan.price.usd).toBeGreaterThan(0);
  expect(renderPlan(plan)).toContain('documents like these');
});
