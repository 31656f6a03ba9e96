/** Several providers of one teacher: shared by free capacity, moved on where one fails for good, and nothing paid twice. */

import { spawn } from 'node:child_process';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import type { RunFolder } from '../src/foundation/run-folder.ts';
import type { Recipe, RecipeInput } from '../src/recipe/schema.ts';
import { explain } from '../src/store/explain.ts';
import { indexLedger } from '../src/store/ledger-index.ts';
import type { LedgerLine, ResponseLine } from '../src/store/ledger-lines.ts';
import {
  comparable,
  ledgerLines,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
} from './collect-setup.ts';
import { type FakeBatchOptions, startFakeBatchApi } from './fake-batch-api.ts';
import { type FakeServer, type Misbehave, startFakeOpenai } from './fake-openai-server.ts';

const changes: Partial<RecipeInput> = {
  corpus: { path: 'data/quickstart/documents.jsonl', limit: 4 },
  collect: { stages: ['pairs', 'reformulate'], concurrency: 3 },
};
/** Pairs of four documents, five reformulations each. */
const REQUESTS = 24;

let recorded: Awaited<ReturnType<typeof recordedOutcome>>;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  recorded = await recordedOutcome(changes);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PRICES = { a: { inputPerMillion: 1, outputPerMillion: 10 }, b: { inputPerMillion: 2, outputPerMillion: 30 } };
/** Of 100 prompt tokens and 10 of an answer, as the fake servers count. */
const USD = { a: 200e-6, b: 500e-6 };

type Name = 'a' | 'b';

function providers(...names: readonly Name[]) {
  return names.map((name) => ({
    name,
    model: `model-${name}`,
    baseUrlEnv: `FAKE_URL_${name}`,
    apiKeyEnv: `FAKE_KEY_${name}`,
    price: PRICES[name],
  }));
}

function recipeOf(entries: readonly object[], more: Partial<RecipeInput> = {}): Recipe {
  const teacher = { kind: 'openai', model: 'the-teacher', providers: entries } as RecipeInput['teacher'];
  return smallRecipe('openai', { ...changes, teacher, ...more });
}

const both = recipeOf(providers('a', 'b'));

function announce(name: Name, { baseUrl }: { baseUrl: string }): void {
  process.env[`FAKE_URL_${name}`] = baseUrl;
  process.env[`FAKE_KEY_${name}`] = `key-${name}`;
  cleanups.push(() => {
    delete process.env[`FAKE_URL_${name}`];
    delete process.env[`FAKE_KEY_${name}`];
  });
}

async function serve(misbehave: Partial<Record<Name, Misbehave>> = {}): Promise<Record<Name, FakeServer>> {
  const servers = {
    a: await startFakeOpenai(recorded.answers, misbehave.a),
    b: await startFakeOpenai(recorded.answers, misbehave.b),
  };
  for (const name of ['a', 'b'] as const) {
    announce(name, servers[name]);
    cleanups.push(servers[name].close);
  }
  return servers;
}

function newRun(): RunFolder {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  return folder;
}

const noWaiting = { wait: async () => {} };

const warnings = (events: ReturnType<typeof recordingContext>['events']) =>
  events.flatMap((event) => (event.type === 'log' && event.level === 'warn' ? [event.message] : []));

const responsesOf = (lines: readonly LedgerLine[]) =>
  lines.filter((line): line is ResponseLine => line.type === 'response');

/** Each answer once, at the price of who gave it; books closed; the outcome that of the recording. */
async function expectWhole(recipe: Recipe, folder: RunFolder): Promise<Record<Name, number>> {
  expect(comparable(await readCollected(recipe, folder))).toEqual(recorded.outcome);
  const responses = responsesOf(await ledgerLines(folder));
  expect(new Set(responses.map(({ key }) => key)).size).toBe(responses.length);
  const given = { a: 0, b: 0 };
  for (const { provider, model, usd } of responses) {
    const name = provider as Name;
    given[name]++;
    expect(model).toBe(`model-${name}`);
    expect(usd).toBeCloseTo(USD[name], 12);
  }
  const index = await indexLedger(folder.ledger);
  expect([index.open.size, index.failures.size]).toEqual([0, 0]);
  for (const name of ['a', 'b'] as const) {
    const spend = index.spend.filter(({ provider }) => provider === name);
    expect(spend.reduce((sum, { responses: n }) => sum + n, 0)).toBe(given[name]);
    expect(spend.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(given[name] * USD[name], 12);
  }
  return given;
}

describe('collect() with several providers', () => {
  it('asks each for what it has room for, by its own key, model and price; totals add up', async () => {
    const servers = await serve({
      a: (count) =>
        count % 3 === 0 ? { kind: 'status', status: 429, headers: { 'retry-after-ms': '30' } } : undefined,
      b: () => ({ kind: 'slow', ms: 40 }),
    });
    const folder = newRun();
    await collect(both, folder, recordingContext().context);
    const given = await expectWhole(both, folder);
    expect(given.a).toBeGreaterThan(0);
    expect(given.b).toBeGreaterThan(0);
    expect(given.a + given.b).toBe(REQUESTS);
    const lines = await ledgerLines(folder);
    for (const name of ['a', 'b'] as const) {
      const { requests } = servers[name];
      expect(requests.every(({ authorization }) => authorization === `Bearer key-${name}`)).toBe(true);
      const sent = lines.filter((line) => line.type === 'sent' && line.provider === name);
      expect(sent.length).toBe(requests.length);
    }
    const document = [...recorded.outcome.documents.keys()][0]!;
    const { calls, usd } = await explain(folder, document);
    expect(calls.map(({ provider }) => provider)).toEqual(calls.map(({ model }) => model!.at(-1)));
    expect(usd).toBeCloseTo(
      calls.reduce((sum, { provider }) => sum + USD[provider as Name], 0),
      12,
    );
  });

  it('sets aside who has no quota left, says so, and has the others finish', async () => {
    const servers = await serve({
      a: (count) => (count >= 2 ? { kind: 'status', status: 429, code: 'insufficient_quota' } : undefined),
      b: () => ({ kind: 'slow', ms: 10 }),
    });
    const folder = newRun();
    const { events, context } = recordingContext();
    await collect(both, folder, context);
    const given = await expectWhole(both, folder);
    expect(given).toEqual({ a: 2, b: REQUESTS - 2 });
    // Also in the stages that follow.
    expect(servers.a.requests.length).toBeLessThanOrEqual(2 + 3);
    expect(warnings(events)).toEqual([
      expect.stringMatching(
        /^Provider a of teacher the-teacher is set aside for this run: .*no quota left.*; b goes on$/,
      ),
    ]);
    const moved = (await ledgerLines(folder)).filter((line) => line.type === 'failure');
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.every((line) => line.type === 'failure' && line.moved && !line.final && line.provider === 'a')).toBe(
      true,
    );
  });

  it('stops with the reasons where nobody is left, keeps what was paid, and asks no answer again', async () => {
    let broke = true;
    const servers = await serve({
      a: (count) => (broke && count >= 2 ? { kind: 'status', status: 401 } : undefined),
      b: (count) => (broke && count >= 5 ? { kind: 'status', status: 429, code: 'insufficient_quota' } : undefined),
    });
    const folder = newRun();
    await expect(collect(both, folder, recordingContext().context)).rejects.toThrow(
      /Cannot go on asking teacher the-teacher: no provider is left \(a: the server refused the key in FAKE_KEY_a.*; b: the account has no quota left/,
    );
    const kept = responsesOf(await ledgerLines(folder)).map(({ key }) => key);
    expect(kept.length).toBeGreaterThanOrEqual(5);
    broke = false;
    const asked = { a: servers.a.requests.length, b: servers.b.requests.length };
    await collect(both, folder, recordingContext().context);
    await expectWhole(both, folder);
    const later = [...servers.a.requests.slice(asked.a), ...servers.b.requests.slice(asked.b)].map(({ key }) => key);
    expect(later.filter((key) => kept.includes(key))).toEqual([]);
    expect(later.length).toBe(REQUESTS - kept.length);
  });

  it('takes the answers of any provider for the teacher’s, whichever it has later', async () => {
    const servers = await serve();
    const folder = newRun();
    await collect(both, folder, recordingContext().context);
    const asked = servers.a.requests.length + servers.b.requests.length;
    const alone = smallRecipe('openai', { ...changes, teacher: { kind: 'openai', model: 'the-teacher' } });
    for (const recipe of [both, recipeOf(providers('b')), recipeOf(providers('b', 'a')), alone]) {
      const { events, context } = recordingContext();
      await collect(recipe, folder, context);
      expect(events.map(({ type }) => type)).toEqual(['command-skip']);
    }
    expect(servers.a.requests.length + servers.b.requests.length).toBe(asked);
  });

  it('asks the others what one refuses, and takes it for refused where all do', async () => {
    const bad = { kind: 'status', status: 400 } as const;
    let everywhere: string | undefined;
    const servers = await serve({
      a: (_, { key }) => {
        everywhere ??= key;
        return bad;
      },
      b: (_, { key }) => (key === everywhere ? bad : { kind: 'slow', ms: 5 }),
    });
    const folder = newRun();
    const recipe = recipeOf(providers('a', 'b'), { collect: { stages: ['pairs'], concurrency: 1 } });
    for (let run = 0; run < 2; run++) {
      const collected = await collect(recipe, folder, recordingContext().context);
      expect(collected.pairs.size).toBe(3);
      expect(collected.failures).toMatchObject([{ stage: 'pairs', kind: 'failed' }]);
    }
    const final = (await ledgerLines(folder)).filter((line) => line.type === 'failure' && line.final);
    expect(final.map(({ key }) => key)).toEqual([everywhere]);
    const keys = [...servers.a.requests, ...servers.b.requests].map(({ key }) => key);
    // Each at each at most with its schema and without.
    expect(keys.length).toBeLessThanOrEqual(4 * 4);
  });

  it('does not let a request wait at a busy provider while another one is idle', async () => {
    await serve({
      a: () => ({ kind: 'status', status: 429, headers: { 'retry-after': '600' } }),
    });
    const folder = newRun();
    // With real waits: ten minutes, were it not called over.
    await collect(both, folder, recordingContext().context);
    expect((await expectWhole(both, folder)).b).toBe(REQUESTS);
  });

  it('goes on with the others where one is gone', async () => {
    await serve({ a: () => ({ kind: 'reset' }), b: () => ({ kind: 'slow', ms: 5 }) });
    const folder = newRun();
    const recipe = recipeOf(providers('a', 'b'), { collect: { ...changes.collect, maxAttempts: 1 } });
    const collected = await collect(recipe, folder, recordingContext().context, noWaiting);
    expect(comparable(collected)).toEqual(recorded.outcome);
    // A connection that broke may have been charged, also where another provider answered in the end.
    expect((await indexLedger(folder.ledger)).lost.every(({ provider }) => provider === 'a')).toBe(true);
  });

  it('asks nothing again after kill -9, on either', { timeout: 300_000 }, async () => {
    const slow: Misbehave = () => ({ kind: 'slow', ms: 30 });
    const servers = await serve({ a: slow, b: slow });
    const folder = newRun();
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', 'test/collect-child.ts', JSON.stringify(both), folder.root],
      {
        env: process.env,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const asked = () => servers.a.requests.length + servers.b.requests.length;
    while (asked() < 14 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(child.exitCode, 'the child must not end by itself').toBe(null);
    child.kill('SIGKILL');
    await ended;
    const kept = responsesOf(await ledgerLines(folder)).map(({ key }) => key);
    const before = { a: servers.a.requests.length, b: servers.b.requests.length };
    await collect(both, folder, recordingContext().context);
    expect(comparable(await readCollected(both, folder))).toEqual(recorded.outcome);
    const later = [...servers.a.requests.slice(before.a), ...servers.b.requests.slice(before.b)].map(({ key }) => key);
    expect(kept.length).toBeGreaterThan(0);
    expect(later.filter((key) => kept.includes(key))).toEqual([]);
    expect(later.length).toBe(REQUESTS - kept.length);
  });
});

describe('collect() with a provider by batch', () => {
  const serveBatches = async (options: FakeBatchOptions) => {
    const server = await startFakeBatchApi(recorded.answers, options);
    announce('a', server);
    cleanups.push(server.close);
    return server;
  };
  const [a] = providers('a');
  const recipe = recipeOf([{ ...a, batch: true }, ...providers('b')]);

  it('has the others asked what its batches could not answer', async () => {
    const { b: live } = await serve();
    const server = await serveBatches({ problem: () => ({ code: 'invalid_request', message: 'no such endpoint' }) });
    const folder = newRun();
    const { events, context } = recordingContext();
    const collected = await collect(recipe, folder, context, noWaiting);
    expect(comparable(collected)).toEqual(recorded.outcome);
    expect(server.jobs.length).toBe(1);
    expect(live.requests.length).toBe(REQUESTS);
    expect(warnings(events)[0]).toContain('it refused the batch batch_1: no such endpoint; b goes on');
    expect((await indexLedger(folder.ledger)).batches.size).toBe(0);
  });

  it('leaves what is in an open batch to its provider: nobody else is asked', async () => {
    const { b: live } = await serve();
    const stop = new AbortController();
    const server = await serveBatches({ at: (moment) => void (moment === 'looked-at' && stop.abort()) });
    const folder = newRun();
    const wait = (_: number, signal: AbortSignal) =>
      signal.aborted ? Promise.reject(new Error('stop')) : Promise.resolve();
    const stopped = collect(recipe, folder, recordingContext(stop.signal).context, { wait });
    await expect(stopped).rejects.toThrow(/its batch goes on/);
    const inBatch = server.jobs[0]!.lines.map(({ custom_id }) => custom_id);
    expect(inBatch.length).toBeGreaterThan(0);
    const without = collect(recipeOf(providers('b')), folder, recordingContext().context, noWaiting);
    await expect(without).rejects.toThrow(
      /the batch batch_1 of a holds \d+ of the requests, and the recipe names no such/,
    );
    const collected = await collect(recipe, folder, recordingContext().context, noWaiting);
    expect(comparable(collected)).toEqual(recorded.outcome);
    expect(live.requests.filter(({ key }) => inBatch.includes(key))).toEqual([]);
  });
});
