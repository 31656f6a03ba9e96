/** Curate on a collected recording, from the ledger to SFT sets, store and funnel. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { type CurateParts, curate } from '../src/curate/curate.ts';
import type { StageFunnel } from '../src/curate/funnel.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import { readManifest } from '../src/foundation/artifact.ts';
import { InterruptedError } from '../src/foundation/errors.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { writeReport } from '../src/report/report.ts';
import { openStore } from '../src/store/database.ts';
import { explain } from '../src/store/explain.ts';
import { readParquet } from '../src/store/parquet.ts';

const STAGES = ['pairs', 'reformulate', 'judge'] as const;
const debugRecipe = fileURLToPath(new URL('../recipes/debug.yaml', import.meta.url));

let folder: RunFolder;
let recipe: Recipe;
let events: RunEvent[];
const context = (signal = new AbortController().signal) => {
  events = [];
  return { emit: (event: RunEvent) => void events.push(event), signal };
};
const rows = (stage: string, split: 'train' | 'dev') => readSft(folder.sft(1, stage, split));
const arrowBytes = () =>
  STAGES.map((stage) => readFileSync(join(folder.sft(1, stage, 'train'), 'data-00000-of-00001.arrow')));

beforeAll(async () => {
  folder = runFolder(mkdtempSync(join(tmpdir(), 'curate-')));
  const debug = loadRecipe(debugRecipe, ['corpus.limit=12']);
  recipe = { ...debug, students: [...debug.students, { name: 'judge', stages: ['judge'] }] };
  await collect(recipe, folder, context());
  await curate(recipe, folder, context());
}, 120_000);
afterAll(() => rmSync(folder.root, { recursive: true }));

test('every sample of train and dev documents is kept or dropped, and the funnel adds up', () => {
  const { stages } = readManifest(folder.round(1))!.facts as { stages: Record<string, StageFunnel> };
  for (const stage of STAGES) {
    const { parsed, made = 0, kept, dropped, train, dev } = stages[stage]!;
    expect(kept + Object.values(dropped).reduce((sum, n) => sum + n, 0)).toBe(parsed + made);
    expect(made > 0).toBe(stage === 'judge');
    expect([rows(stage, 'train').length, rows(stage, 'dev').length]).toEqual([train, dev]);
    expect(train).toBeGreaterThan(0);
  }
  expect(stages.pairs!.collected).toBe(9);
  expect(stages.reformulate!.collected).toBe(45);
  expect(events.at(-1)).toMatchObject({ type: 'command-end', command: 'curate' });
});

test('no document of the validation split is in any set, and no document is in two splits', () => {
  const splits = JSON.parse(readFileSync(folder.splits, 'utf8')) as Record<'train' | 'dev' | 'validation', string[]>;
  expect(splits.validation.length).toBeGreaterThan(0);
  for (const stage of STAGES) {
    for (const split of ['train', 'dev'] as const) {
      for (const { doc_id } of rows(stage, split)) expect(splits[split]).toContain(doc_id);
    }
  }
});

test('Parquet files hold the same rows as the Arrow sets', async () => {
  for (const stage of STAGES) {
    const parquet = await readParquet<object>(join(folder.round(1), 'sft', stage, 'train.parquet'));
    expect(parquet).toEqual(
      rows(stage, 'train').map((row) => ({ score: null, distribution: null, genre: null, audience: null, ...row })),
    );
  }
});

test('explain() tells the decision on a sample, with prompt, raw answer and scores', async () => {
  const { id } = rows('reformulate', 'train')[0]!;
  const found = await explain(folder, id);
  expect(found.calls.map(({ stage }) => stage).sort()).toEqual(['judge', 'reformulate']);
  expect(found.calls.every(({ messages, text }) => messages!.length > 0 && text !== null)).toBe(true);
  expect(found.samples.map(({ stage, kept }) => [stage, kept])).toContainEqual(['reformulate', true]);
  expect(found.scores[0]!.score).toBeGreaterThanOrEqual(4);
  expect(found.note).toBeNull();
});

test('a complete round is skipped; a lost store is made again without touching the sets', async () => {
  await curate(recipe, folder, context());
  expect(events.map(({ type }) => type)).toEqual(['command-skip']);
  const decisions = async () => {
    const database = await openStore(folder.store);
    const found = await database.query('select * from decisions order by all');
    database.close();
    return found;
  };
  const [before, manifest] = [await decisions(), readManifest(folder.round(1))];
  rmSync(folder.store);
  await curate(recipe, folder, context());
  expect(await decisions()).toEqual(before);
  expect(readManifest(folder.round(1))).toEqual(manifest);
});

test('a changed recipe makes the sets again, and the old recipe the old bytes', async () => {
  const before = arrowBytes();
  await curate({ ...recipe, curate: { ...recipe.curate, maxSamples: 3 } }, folder, context());
  expect(rows('reformulate', 'train')).toHaveLength(3);
  await curate(recipe, folder, context());
  expect(arrowBytes().every((bytes, i) => bytes.equals(before[i]!))).toBe(true);
});

test('balance drops what a cluster of genres holds beyond its share; funnel, report and explain() say so', async () => {
  const balance = { embedder: 'by-hand', clusters: 2, most: 1 };
  // By length: one cluster of long descriptions, one of short ones.
  const embed: NonNullable<CurateParts['embed']> = async (embedder, texts) => {
    expect(embedder).toBe('by-hand');
    return texts.map((text) => [text.length, 0]);
  };
  await curate({ ...recipe, curate: { ...recipe.curate, balance } }, folder, context(), { embed });
  const { kept, train, dropped } = (readManifest(folder.round(1))!.facts as { stages: Record<string, StageFunnel> })
    .stages.reformulate!;
  expect(dropped.balance).toBeGreaterThan(0);
  expect(rows('reformulate', 'train')).toHaveLength(train);
  const database = await openStore(folder.store);
  const found = await database.query<{ sample_id: string; reason: string }>(
    "select * from decisions where rule = 'balance' order by sample_id",
  );
  database.close();
  expect(found).toHaveLength(dropped.balance!);
  expect((await explain(folder, found[0]!.sample_id)).samples).toContainEqual(
    expect.objectContaining({
      kept: false,
      rule: 'balance',
      reason: expect.stringMatching(/^its (genre|audience) is/),
    }),
  );
  await writeReport(recipe, folder, context());
  expect(readFileSync(folder.report, 'utf8')).toMatch(/<th scope="row">balance<\/th>/);
  await curate(recipe, folder, context());
  expect(
    (readManifest(folder.round(1))!.facts as { stages: Record<string, StageFunnel> }).stages.reformulate!.kept,
  ).toBe(kept + dropped.balance!);
});

test('sets that nothing is left for are refused with the reasons, and an abort leaves no complete round', async () => {
  const strict = { ...recipe, curate: { ...recipe.curate, minKeywordCoverage: 1 } };
  await expect(curate(strict, folder, context())).rejects.toThrow(
    /Cannot curate stage reformulate: none of 45 .*keyword-coverage/,
  );
  expect(existsSync(join(folder.round(1), 'manifest.json'))).toBe(false);
  await expect(curate(recipe, folder, context(AbortSignal.abort()))).rejects.toThrow(InterruptedError);
  expect(existsSync(join(folder.round(1), 'manifest.json'))).toBe(false);
});
