/** `mga run` looks whether training fits into memory before it pays a teacher. */

import { afterEach, expect, test } from 'vitest';
import { readMaterial } from '../src/collect/collected.ts';
import { checkTrainingMemory } from '../src/pipeline/check-training-memory.ts';
import { runCommands } from '../src/pipeline/run.ts';
import type { RecipeInput } from '../src/recipe/schema.ts';
import {
  KEY_VARIABLE,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
  URL_VARIABLE,
} from './collect-setup.ts';
import { startFakeOpenai } from './fake-openai-server.ts';

const CORPUS: RecipeInput['corpus'] = { path: 'data/quickstart/documents.jsonl', limit: 2 };
const tiny = (memory?: number) =>
  smallRecipe('openai', {
    corpus: CORPUS,
    collect: {},
    train: { model: 'tiny-random', maxTokens: 4096, ...(memory === undefined ? {} : { memory }) },
  });

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve() {
  const { answers } = await recordedOutcome({ corpus: CORPUS, collect: {} });
  const server = await startFakeOpenai(answers);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  return { server, folder };
}

test('a training that does not fit is refused with what would, and nothing is asked; collect alone asks', async () => {
  const { server, folder } = await serve();
  const { context } = recordingContext();
  await expect(runCommands(['collect', 'train'], tiny(0.1), folder, context)).rejects.toMatchObject({
    message: expect.stringMatching(/^Cannot train writer in 0\.10 GB: 0\.\d+ GB are needed for a pass of \d+ tokens$/),
    hint: expect.stringMatching(/^Give it train\.memory 0\.\d+/),
  });
  expect(server.requests).toEqual([]);
  await runCommands(['collect'], tiny(0.1), folder, context);
  expect(server.requests.length).toBeGreaterThan(10);
});

test('what fits passes, and weights that are not here are not fetched', async () => {
  const { folder } = await serve();
  const { context, events } = recordingContext();
  const fitting = tiny(4);
  const material = await readMaterial(fitting, folder);
  await checkTrainingMemory(fitting, folder, material, context);
  expect(events).toEqual([]);
  const elsewhere = { ...fitting, train: { ...fitting.train, model: 'nobody/no-such-model' } };
  await checkTrainingMemory(elsewhere, folder, material, context);
  expect(events).toEqual([
    expect.objectContaining({
      level: 'info',
      message: expect.stringContaining('nobody/no-such-model are not here yet'),
    }),
  ]);
});
