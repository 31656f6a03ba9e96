/** Table 1 with every kind of arm: this run's students in each form, another run's, model folders, GGUF, aliases, servers. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { curate } from '../src/curate/curate.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { writeTinyModel } from '../src/model/tiny.ts';
import { quantizeStudents } from '../src/quantize/quantize.ts';
import { writeResolvedRecipe } from '../src/recipe/resolved.ts';
import { type Recipe, type RecipeInput, recipeSchema } from '../src/recipe/schema.ts';
import { pairsStage } from '../src/stage/pairs.ts';
import { reformulateStage } from '../src/stage/reformulate.ts';
import { trainStudents } from '../src/train/train-students.ts';
import type { GenerationLine } from '../src/validate/generations.ts';
import { validateStudents } from '../src/validate/validate.ts';
import { ledgerLines } from './collect-setup.ts';
import { conversationKey, type FakeServer, startFakeOpenai } from './fake-openai-server.ts';

const KEY = 'ARM_TEST_KEY';

/** A student is trained; this is for machines that are busy with other tests. */
const SETUP_MS = 300_000;

const PAIRS = [1, 2, 3, 4, 5].map((i) => ({ genre: `A letter, kind ${i}`, audience: `Readers of group ${i}` }));
const DOCUMENTS = Array.from({ length: 8 }, (_, i) => ({
  id: `d${i}`,
  text: `Mill ${i} was built in 18${10 + i} on the river Aller and grinds rye.`,
}));
const textOf = (id: string, k: number) => `Dear friends, mill ${id} still grinds rye on the Aller. Yours, number ${k}.`;

const root = mkdtempSync(join(tmpdir(), 'mga-arms-'));
const path = (name: string) => join(root, name);
let trained: RunFolder;
const cleanups: (() => unknown)[] = [];

/** Short documents, for tokenizers that make a token of each byte. */
beforeAll(async () => {
  vi.stubEnv('MGA_CACHE', path('cache'));
  const lines = (name: string, rows: readonly object[]) =>
    writeFileSync(path(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  lines('documents.jsonl', DOCUMENTS);
  const items = DOCUMENTS.flatMap(({ id }) => PAIRS.map((_, i) => ({ id, k: i + 1 })));
  lines(
    'pairs.jsonl',
    DOCUMENTS.map(({ id }) => ({ doc_id: id, pairs: PAIRS })),
  );
  lines(
    'texts.jsonl',
    items.map(({ id, k }) => ({ id: `${id}-b${k}`, doc_id: id, pair: k, kind: 'base', text: textOf(id, k) })),
  );
  lines(
    'judgements.jsonl',
    items.map(({ id, k }) => ({ text_id: `${id}-b${k}`, doc_id: id, analysis: '', score: k === 5 ? 2 : 5 })),
  );
  const splits = { train: ['d0', 'd1', 'd2', 'd3'], dev: ['d4', 'd5'], validation: ['d6', 'd7'] };
  writeFileSync(path('splits.json'), JSON.stringify(splits));
  writeTinyModel(path('folder-model'), { seed: 7 });

  trained = runFolder(path('trained'));
  const { context } = listening();
  const recipe = recipeWith(['teacher', 'student', 'student-w8a8-beside', 'student-w8a8-merged']);
  await collect(recipe, trained, context);
  await curate(recipe, trained, context);
  await trainStudents(recipe, trained, context);
  await quantizeStudents(recipe, trained, context);
  writeResolvedRecipe(recipe, trained);
}, SETUP_MS);

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  vi.unstubAllEnvs();
  vi.stubEnv('MGA_CACHE', path('cache'));
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

function listening() {
  const events: RunEvent[] = [];
  return {
    events,
    context: { emit: (event: RunEvent) => void events.push(event), signal: new AbortController().signal },
  };
}

type Arms = NonNullable<NonNullable<RecipeInput['validate']>['arms']>;

function recipeWith(arms: Arms, changes: Partial<RecipeInput> = {}): Recipe {
  return recipeSchema.parse({
    name: 'arms-test',
    seed: 3,
    corpus: { path: path('documents.jsonl') },
    splits: { file: path('splits.json') },
    teacher: { kind: 'recorded', folder: root },
    curate: { minKeywordCoverage: 0 },
    students: [{ name: 'writer', stages: ['reformulate'] }],
    train: { model: 'tiny-random', lora: { rank: 2, alpha: 4 }, maxSteps: 1, samplesPerStep: 2, threads: 1 },
    quantize: { calibrationSamples: 2 },
    generate: { maxTokens: 6, batch: 4 },
    validate: { arms, pairsPerDocument: 2, resamples: 100 },
    ...changes,
  });
}

/** A new run of the same recording, collected. */
async function newRun(recipe: Recipe, name: string) {
  const folder = runFolder(path(name));
  cleanups.push(() => rmSync(folder.root, { recursive: true, force: true }));
  await collect(recipe, folder, listening().context);
  return folder;
}

/** A server that writes for every document and pair what the recorded teacher wrote. */
async function serve(misbehave?: Parameters<typeof startFakeOpenai>[1]): Promise<FakeServer> {
  const answers = new Map<string, string>();
  for (const document of DOCUMENTS) {
    answers.set(conversationKey(pairsStage.teacherPrompt({ document })), pairsStage.completion(PAIRS));
    for (const [i, pair] of PAIRS.entries()) {
      const text = textOf(document.id, i + 1);
      answers.set(conversationKey(reformulateStage.teacherPrompt({ document, pair })), text);
    }
  }
  const server = await startFakeOpenai(answers, misbehave);
  vi.stubEnv(KEY, 'secret-of-the-arm');
  cleanups.push(server.close);
  return server;
}

const serverArm = (baseUrl: string) =>
  ({ kind: 'server', name: 'big', model: 'fake', baseUrl, apiKeyEnv: KEY }) as const;

const generations = (folder: RunFolder) =>
  readFileSync(join(folder.validation, 'generations.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as GenerationLine);

test('each quantization of the student is an arm, with answers of its own', async () => {
  const recipe = recipeWith(['teacher', 'student', 'student-w8a8-beside', 'student-w8a8-merged']);
  const [table] = (await validateStudents(recipe, trained, listening().context))!;
  expect(table!.rows.map(({ arm, total, model }) => [arm, total, model])).toEqual([
    ['teacher', 4, expect.stringMatching(/^recording-/)],
    ['student', 4, 'writer (tiny-random)'],
    ['student-w8a8-beside', 4, 'writer (tiny-random)'],
    ['student-w8a8-merged', 4, 'writer (tiny-random)'],
  ]);
  expect(table!.rows.every(({ candidate }) => candidate === undefined)).toBe(true);
  expect(table!.rows.slice(1).every(({ p_adjusted }) => p_adjusted !== undefined)).toBe(true);
});

test('any model, another run and a server stand beside one another on the same inputs, and are no candidates', async () => {
  const server = await serve();
  const arms: Arms = [
    'teacher',
    'base',
    { kind: 'run', name: 'last-week', run: trained.root },
    { kind: 'run', name: 'last-week-f32', run: trained.root, student: 'writer', precision: 'f32' },
    { kind: 'model', name: 'folder', model: path('folder-model'), prompt: 'teacher' },
    { kind: 'model', name: 'gguf', model: 'test/golden/model/tiny.gguf', generate: { maxTokens: 3 } },
    { kind: 'model', name: 'alias', model: 'tiny-random' },
    serverArm(server.baseUrl),
  ];
  const recipe = recipeWith(arms);
  const folder = await newRun(recipe, 'beside');
  const { events, context } = listening();
  const [table] = (await validateStudents(recipe, folder, context))!;
  expect(table!.rows.map(({ arm, total, candidate }) => [arm, total, candidate])).toEqual([
    ['teacher', 4, undefined],
    ['base', 4, undefined],
    ...['last-week', 'last-week-f32', 'folder', 'gguf', 'alias', 'big'].map((name) => [name, 4, false]),
  ]);
  expect(table!.rows.map(({ model }) => model)).toEqual(
    expect.arrayContaining(['writer of trained (tiny-random)', expect.stringMatching(/^fake at 127\.0\.0\.1:\d+$/)]),
  );
  const texts = (arm: string) =>
    generations(folder)
      .filter((line) => line.arm === arm)
      .sort((a, b) => a.item.localeCompare(b.item))
      .map(({ text }) => text);
  // The same model, sampling and inputs give the same answers, whatever the arm is called.
  expect(texts('alias')).toEqual(texts('base'));
  expect(texts('folder')).not.toEqual(texts('base'));
  expect(texts('gguf').filter((text) => text !== '')).toHaveLength(4);
  expect(texts('big')).toEqual(texts('teacher'));
  expect(
    generations(folder)
      .filter((line) => line.arm === 'gguf')
      .every(({ tokens }) => tokens <= 3),
  ).toBe(true);
  expect(table!.rows.find(({ arm }) => arm === 'big')).toMatchObject({ rate: table!.rows[0]!.rate, diff: 0 });

  expect(server.requests.map(({ authorization }) => authorization)).toEqual(Array(4).fill('Bearer secret-of-the-arm'));
  const own = (await ledgerLines(folder)).flatMap((line) =>
    (line.type === 'sent' || line.type === 'response') && line.model.startsWith('fake at ') ? [line] : [],
  );
  expect(own.map(({ type }) => type).sort()).toEqual([...Array(4).fill('response'), ...Array(4).fill('sent')]);
  expect(own.every(({ item }) => item.endsWith('@big'))).toBe(true);
  expect(JSON.stringify([own, events, table])).not.toContain('secret-of-the-arm');

  // Paid once: the ledger answers where generations.jsonl is gone.
  rmSync(folder.validation, { recursive: true });
  await validateStudents(recipe, folder, listening().context);
  expect(server.requests).toHaveLength(4);
  expect(texts('big')).toEqual(texts('teacher'));
});

test('a request the server refuses for good counts against the arm; failures in passing stop with what to do', async () => {
  const refusing = await serve((count) => (count === 0 ? { kind: 'status', status: 400 } : undefined));
  const refused = recipeWith(['teacher', serverArm(refusing.baseUrl)]);
  const folder = await newRun(refused, 'refused');
  const [table] = (await validateStudents(refused, folder, listening().context))!;
  expect(table!.rows[1]).toMatchObject({ arm: 'big', total: 4, unscored: 1 });
  expect(table!.rows[1]!.rate).toBeLessThan(table!.rows[0]!.rate);

  const failing = await serve((count) => (count < 2 ? { kind: 'status', status: 500 } : undefined));
  const changes = { collect: { maxAttempts: 1, concurrency: 1 } };
  const failed = recipeWith(['teacher', serverArm(failing.baseUrl)], changes);
  const other = await newRun(failed, 'failed');
  await expect(validateStudents(failed, other, listening().context)).rejects.toThrow(
    /Cannot validate arm big: 2 of 4 requests failed, .* 500/,
  );
  await validateStudents(failed, other, listening().context);
  expect(failing.requests).toHaveLength(6);
});

test('an arm stands in the tables it names, another run where it has learnt the stage', async () => {
  const server = await serve();
  const arms: Arms = [
    'teacher',
    { kind: 'run', name: 'last-week', run: trained.root },
    { kind: 'model', name: 'alias', model: 'tiny-random', stages: ['pairs'] },
    serverArm(server.baseUrl),
  ];
  const recipe = recipeWith(arms, { students: [{ name: 'both', stages: ['pairs', 'reformulate'] }] });
  const folder = await newRun(recipe, 'stages');
  const tables = (await validateStudents(recipe, folder, listening().context))!;
  expect(tables.map(({ stage, rows }) => [stage, rows.map(({ arm }) => arm)])).toEqual([
    ['pairs', ['teacher', 'alias', 'big']],
    ['reformulate', ['teacher', 'last-week', 'big']],
  ]);
  expect(tables[0]!.rows[2]).toMatchObject({ arm: 'big', rate: 1 });
});

test.each<[string, Arms[number], RegExp, Record<string, string>?]>([
  ['student', 'student', /Cannot open arm student: student writer is not trained: .*writer is not complete/],
  ['run', { kind: 'run', name: 'x', run: path('nowhere') }, /Cannot open arm x: Cannot read the run .*no recipe\.yaml/],
  [
    'student of a run',
    { kind: 'run', name: 'x', run: path('trained'), student: 'painter' },
    /Cannot open arm x: the run .*trained has no student painter for reformulate; its students are writer \(reformulate\)/,
  ],
  ['folder', { kind: 'model', name: 'x', model: 'docs' }, /Cannot open arm x: Cannot use the folder .*docs as a model/],
  [
    'file',
    { kind: 'model', name: 'x', model: 'README.md' },
    /Cannot open arm x: .*README\.md as a model: not a \.gguf file/,
  ],
  ['alias', { kind: 'model', name: 'x', model: 'smollm3' }, /Cannot open arm x: Cannot find the model smollm3/],
  ['hub id', { kind: 'model', name: 'x', model: 'nobody/nothing' }, /Cannot open arm x: .* the hub: switched off/],
  ['key', serverArm('http://127.0.0.1:9/v1'), /Cannot open arm big: the environment variable ARM_TEST_KEY is not set/],
  [
    'server',
    serverArm('http://127.0.0.1:9/v1'),
    /Cannot open arm big: http:\/\/127\.0\.0\.1:9\/v1 does not answer/,
    { [KEY]: 'k' },
  ],
])('an unknown %s is told before anything is generated', async (_, arm, message, environment = {}) => {
  for (const [name, value] of Object.entries({ HF_HUB_OFFLINE: '1', ...environment })) vi.stubEnv(name, value);
  const recipe = recipeWith(['teacher', { kind: 'model', name: 'first', model: 'tiny-random' }, arm]);
  const folder = await newRun(recipe, 'unopened');
  await expect(validateStudents(recipe, folder, listening().context)).rejects.toThrow(message);
  const made = join(folder.validation, 'generations.jsonl');
  expect(existsSync(made) ? readFileSync(made, 'utf8') : '').toBe('');
});
