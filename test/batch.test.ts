/** Collect by the Batch API: results joined by custom_id, failed items alone asked again, no job made twice whenever it is killed. */

import { spawn } from 'node:child_process';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderStatus, runStatus } from '../src/cli/run-status.ts';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import { InterruptedError } from '../src/foundation/errors.ts';
import type { RunFolder } from '../src/foundation/run-folder.ts';
import type { Recipe, RecipeInput } from '../src/recipe/schema.ts';
import { indexLedger } from '../src/store/ledger-index.ts';
import {
  comparable,
  KEY_VARIABLE,
  ledgerLines,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
  URL_VARIABLE,
} from './collect-setup.ts';
import { type BatchMoment, type FakeBatchOptions, type Fate, startFakeBatchApi } from './fake-batch-api.ts';

const changes: Partial<RecipeInput> = { corpus: { path: 'data/quickstart/documents.jsonl', limit: 2 } };
let recorded: Awaited<ReturnType<typeof recordedOutcome>>;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  recorded = await recordedOutcome(changes);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function batchRecipe(more: Partial<RecipeInput> = {}): Recipe {
  const recipe = smallRecipe('openai', { ...changes, ...more });
  return { ...recipe, teacher: { ...recipe.teacher, batch: true } as Recipe['teacher'] };
}

async function serve(options: FakeBatchOptions = {}) {
  const server = await startFakeBatchApi(recorded.answers, options);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  return { server, folder };
}

const noWaiting = { wait: async () => {} };

/** Each answer once, at half the price; all books closed. */
async function expectSettled(folder: RunFolder): Promise<void> {
  const responses = (await ledgerLines(folder)).filter((line) => line.type === 'response');
  expect(new Set(responses.map(({ key }) => key)).size).toBe(responses.length);
  for (const { usd, batch } of responses) {
    expect(batch).toBeDefined();
    expect(usd).toBeCloseTo((0.5 * (100 * 1 + 10 * 10)) / 1e6, 12);
  }
  const index = await indexLedger(folder.ledger);
  expect([index.open.size, index.lost.length, index.batches.size]).toEqual([0, 0, 0]);
}

describe('collect() by batch', () => {
  it('gives what the recording gives: one job a stage, half the price', async () => {
    const { server, folder } = await serve();
    const collected = await collect(batchRecipe(), folder, recordingContext().context, noWaiting);
    expect(comparable(collected)).toEqual(recorded.outcome);
    expect(server.jobs.length).toBe(3);
    expect(server.chats).toBe(0);
    await expectSettled(folder);
  });

  it('asks again what failed, expired or is missing, and that alone', async () => {
    const fates: Fate[] = ['answered', 'error-500', 'expired', 'missing'];
    const position = new Map<string, number>();
    const { server, folder } = await serve({
      fate: ({ custom_id }, n) => {
        if (!position.has(custom_id)) position.set(custom_id, position.size);
        return n > 0 ? 'answered' : fates[position.get(custom_id)! % fates.length]!;
      },
    });
    const recipe = batchRecipe({ collect: { stages: ['pairs', 'reformulate'] } });
    const collected = await collect(recipe, folder, recordingContext().context, noWaiting);
    expect(collected.texts).toEqual(recorded.outcome.texts);
    const [, , first, second] = server.jobs;
    const failing = first!.lines.filter(({ custom_id }) => position.get(custom_id)! % fates.length !== 0);
    expect(new Set(second!.lines.map(({ custom_id }) => custom_id))).toEqual(
      new Set(failing.map(({ custom_id }) => custom_id)),
    );
    expect(server.jobs.length).toBe(4);
    await expectSettled(folder);
  });

  it('keeps what is refused, with its schema and without, as a final failure', async () => {
    let refused: string | undefined;
    const { server, folder } = await serve({
      fate: ({ custom_id }) => {
        refused ??= custom_id;
        return custom_id === refused ? 'bad-request' : 'answered';
      },
    });
    const recipe = batchRecipe({ collect: { stages: ['pairs'] } });
    for (let run = 0; run < 2; run++) {
      const collected = await collect(recipe, folder, recordingContext().context, noWaiting);
      expect(collected.failures).toMatchObject([{ stage: 'pairs', kind: 'failed' }]);
    }
    expect(server.jobs.map(({ lines }) => lines.length)).toEqual([2, 1]);
    expect(server.jobs.map(({ lines }) => lines[0]!.body.response_format !== undefined)).toEqual([true, false]);
  });

  it('gives up on a request after maxAttempts batches', async () => {
    let failing: string | undefined;
    const { server, folder } = await serve({
      fate: ({ custom_id }) => {
        failing ??= custom_id;
        return custom_id === failing ? 'error-500' : 'answered';
      },
    });
    const recipe = batchRecipe({ collect: { stages: ['pairs'], maxAttempts: 3 } });
    const collected = await collect(recipe, folder, recordingContext().context, noWaiting);
    expect(collected.failures).toMatchObject([{ stage: 'pairs', kind: 'failed' }]);
    expect(server.jobs.map(({ lines }) => lines.length)).toEqual([2, 1, 1]);
  });

  it('stops where a batch is refused as a whole, and makes smaller ones where too much is queued', async () => {
    const invalid = await serve({ problem: () => ({ code: 'invalid_request', message: 'no such endpoint' }) });
    const stopped = collect(batchRecipe(), invalid.folder, recordingContext().context, noWaiting);
    await expect(stopped).rejects.toThrow(/refused the batch batch_1: no such endpoint/);
    const { server, folder } = await serve({
      problem: ({ id }) =>
        id === 'batch_1' ? { code: 'token_limit_exceeded', message: 'enqueued tokens' } : undefined,
    });
    const collected = await collect(batchRecipe(), folder, recordingContext().context, noWaiting);
    expect(comparable(collected)).toEqual(recorded.outcome);
    expect(server.jobs.length).toBe(4);
  });

  it('keeps to the budget: what does not fit beside the rest is not sent', async () => {
    const { server, folder } = await serve();
    const recipe = batchRecipe({ budget: { usd: 0.012 }, collect: { stages: ['pairs'] } });
    await expect(collect(recipe, folder, recordingContext().context, noWaiting)).resolves.toBeDefined();
    expect(server.jobs.map(({ lines }) => lines.length)).toEqual([1, 1]);
  });

  it('on Ctrl-C leaves the batch to the provider, and fetches its results later', async () => {
    const stop = new AbortController();
    const { server, folder } = await serve({ at: (moment) => void (moment === 'looked-at' && stop.abort()) });
    const wait = (_: number, signal: AbortSignal) =>
      signal.aborted ? Promise.reject(new Error('stop')) : Promise.resolve();
    const recipe = batchRecipe({ collect: { stages: ['pairs'] } });
    const stopped = collect(recipe, folder, recordingContext(stop.signal).context, { wait });
    await expect(stopped).rejects.toThrow(InterruptedError);
    expect((await indexLedger(folder.ledger)).unanswered).toEqual([]);
    const status = await runStatus(folder);
    expect(status.batches).toMatchObject([{ stage: 'pairs', model: 'fake', requests: 2, id: 'batch_1' }]);
    expect(status.possiblyCharged).toEqual([]);
    expect(renderStatus(status)).toMatch(/Open batches: 1\n {2}pairs: 2 requests to fake since .*, batch_1\n/);
    await collect(recipe, folder, recordingContext().context, noWaiting);
    expect(server.jobs.length).toBe(1);
    expect((await runStatus(folder)).batches).toEqual([]);
    await expectSettled(folder);
  });

  it.each<[BatchMoment, number]>([
    ['uploaded', 1],
    ['created', 1],
    ['looked-at', 1],
    ['fetched', 1],
  ])('killed when the server has %s, makes no job twice', { timeout: 120_000 }, async (moment, jobs) => {
    let child: ReturnType<typeof runChild> | undefined;
    let killed = false;
    const { server, folder } = await serve({
      at: async (now) => {
        if (now !== moment || killed) return;
        killed = true;
        child!.process.kill('SIGKILL');
        await child!.ended;
      },
    });
    const recipe = batchRecipe({ collect: { stages: ['pairs'] } });
    child = runChild(recipe, folder);
    expect(await child.ended).not.toBe(0);
    await collect(recipe, folder, recordingContext().context, noWaiting);
    expect((await readCollected(recipe, folder)).pairs).toEqual(recorded.outcome.pairs);
    expect(server.jobs.length).toBe(jobs);
    await expectSettled(folder);
  });
});

function runChild(recipe: Recipe, folder: RunFolder) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'test/collect-child.ts', JSON.stringify(recipe), folder.root, '0.001'],
    { env: process.env, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return { process: child, ended: new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code))) };
}
