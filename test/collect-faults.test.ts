/**
 * Collect against a hostile provider, killed again and again. `npm run test:faults` asks for 10,000 answers and kills 20 times;
 * without FAULTS=full the same is done smaller.
 */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import { randomStream } from '../src/foundation/random.ts';
import type { RunFolder } from '../src/foundation/run-folder.ts';
import type { Recipe } from '../src/recipe/schema.ts';
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
import { startFakeOpenai } from './fake-openai-server.ts';
import { type HostileProvider, startHostileProvider } from './hostile-provider.ts';
import { labelerCorpus } from './labeler.ts';

/** Each document is 11 requests: its pairs, five reformulations, five judgements. */
const { documents, kills } =
  process.env.FAULTS === 'full' ? { documents: 930, kills: 20 } : { documents: 120, kills: 4 };

/** Waits before retries are scaled, so that the test does not sleep. */
const WAITS = 0.02;

/** It took eight minutes at a load of ten, and more than thirty at a load of thirty. */
const TIMEOUT_MS = 90 * 60_000;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it(`collect() loses and repeats nothing over ${documents} documents and ${kills} kills`, {
  timeout: TIMEOUT_MS,
}, async () => {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  const corpus = join(folder.root, 'corpus.jsonl');
  writeFileSync(corpus, labelerCorpus(documents));
  const recipe = smallRecipe('openai', {
    corpus: { path: corpus },
    splits: {},
    collect: { concurrency: 32, timeoutSeconds: 3, maxAttempts: 8 },
  });
  const hostile = await startHostileProvider();
  cleanups.push(hostile.close);

  const random = randomStream('collect-faults');
  const syncedAtKill: { keys: string[]; requests: number }[] = [];
  for (let kill = 0; kill < kills; kill++) {
    // On the mean, the kills spread over three fifths of the answers: a run must not end before its last kill.
    const further = 10 + random.integer((2 * 0.6 * 11 * documents) / kills);
    await killAfter(hostile, hostile.requests() + further, recipe, folder);
    const keys = (await ledgerLines(folder)).filter((line) => line.type === 'response').map((line) => line.key);
    syncedAtKill.push({ keys, requests: hostile.requests() });
  }
  const code = await runChild(hostile, recipe, folder).ended;
  expect(code).toBe(0);

  // No response that was on disk at a kill was asked for again, and each is there exactly once.
  const lines = await ledgerLines(folder);
  const responses = lines.filter((line) => line.type === 'response');
  const once = new Set(responses.map((line) => line.key));
  expect(responses.length).toBe(once.size);
  for (const { keys, requests } of syncedAtKill) {
    expect(keys.filter((key) => !once.has(key))).toEqual([]);
    const later = new Set(hostile.keys.slice(requests));
    expect(keys.filter((key) => later.has(key))).toEqual([]);
  }

  // Every dollar is in the books: each answer that the provider charged is in the ledger or named as possibly charged.
  const index = await indexLedger(folder.ledger);
  const { inputPerMillion, outputPerMillion } = { inputPerMillion: 1, outputPerMillion: 10 };
  let dollars = 0;
  for (const { usage, usd } of responses) {
    const price = (usage.promptTokens * inputPerMillion + usage.completionTokens * outputPerMillion) / 1e6;
    expect(usd).toBeCloseTo(price, 12);
    dollars += price;
  }
  expect(index.spend.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(dollars, 9);
  expect(index.open.size).toBe(0);
  const named = new Map<string, number>();
  for (const { key } of index.lost) named.set(key, (named.get(key) ?? 0) + 1);
  const unnamed = [...hostile.charged].filter(
    ([key, times]) => times > (once.has(key) ? 1 : 0) + (named.get(key) ?? 0),
  );
  expect(unnamed).toEqual([]);

  // The samples are those of a run that nothing ever happened to.
  const calm = await startHostileProvider({ calm: true });
  const undisturbed = temporaryRun();
  cleanups.push(calm.close, undisturbed.done);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = calm.baseUrl;
  const expected = comparable(await collect(recipe, undisturbed.folder, recordingContext().context));
  expect(comparable(await readCollected(recipe, folder))).toEqual(expected);
  expect(expected.missing).toBe(0);
  expect(expected.texts.size).toBeGreaterThan(documents * 4);
  if (process.env.FAULTS === 'full') {
    const of = Object.fromEntries(hostile.faults);
    console.info(
      JSON.stringify({ requests: hostile.requests(), responses: once.size, lost: index.lost.length, ...of }),
    );
  }
});

it('collect() stops cleanly on a full disk, and goes on when there is room', async () => {
  const { answers, outcome } = await recordedOutcome();
  const server = await startFakeOpenai(answers);
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const recipe = smallRecipe('openai');

  // The twentieth write meets the end of the disk halfway through its bytes.
  const handle = await open(join(folder.root, 'probe'), 'w');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const write = prototype.write as (...parts: unknown[]) => Promise<{ bytesWritten: number }>;
  let writes = 0;
  const full = vi.spyOn(prototype, 'write').mockImplementation(async function (this: unknown, ...parts: unknown[]) {
    const [bytes, offset] = parts as [Buffer, number];
    if (++writes < 20) return write.call(this, bytes, offset);
    if (writes === 20)
      return write.call(this, bytes.subarray(0, offset + Math.ceil((bytes.length - offset) / 2)), offset);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  } as never);
  await expect(collect(recipe, folder, recordingContext().context)).rejects.toThrow(
    /Cannot write the ledger in .*no space left on device/,
  );
  full.mockRestore();

  const kept = (await ledgerLines(folder)).filter((line) => line.type === 'response').map((line) => line.key);
  const asked = server.requests.length;
  await collect(recipe, folder, recordingContext().context);
  expect(comparable(await readCollected(recipe, folder))).toEqual(outcome);
  const later = new Set(server.requests.slice(asked).map((request) => request.key));
  expect(kept.length).toBeGreaterThan(0);
  expect(kept.filter((key) => later.has(key))).toEqual([]);
});

it('collect() in a second process says which one holds the run', async () => {
  const { answers } = await recordedOutcome();
  const server = await startFakeOpenai(answers, () => ({ kind: 'slow', ms: 60_000 }));
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  const { child, ended } = runChild(server, smallRecipe('openai'), folder);
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const second = collect(smallRecipe('openai'), folder, recordingContext().context);
  await expect(second).rejects.toThrow(new RegExp(`process ${child.pid} on .* holds it since`));
  child.kill('SIGKILL');
  await ended;
});

function runChild(server: { baseUrl: string }, recipe: Recipe, folder: RunFolder) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'test/collect-child.ts', JSON.stringify(recipe), folder.root, String(WAITS)],
    {
      env: { ...process.env, [KEY_VARIABLE]: 'test-key', [URL_VARIABLE]: server.baseUrl },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  return { child, ended: new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code))) };
}

/** Runs collect in a process of its own and kills it when the server has seen `count` requests. */
async function killAfter(server: HostileProvider, count: number, recipe: Recipe, folder: RunFolder): Promise<void> {
  const { child, ended } = runChild(server, recipe, folder);
  while (server.requests() < count && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(child.exitCode, 'the child must not end by itself').toBe(null);
  child.kill('SIGKILL');
  await ended;
}
