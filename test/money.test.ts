/** The cap and the books with several models: spend stays under budget.usd across restarts, and `mga status` tells it live. */

import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderStatus, runStatus } from '../src/cli/run-status.ts';
import { collect } from '../src/collect/collect.ts';
import { lockRun } from '../src/pipeline/lock.ts';
import type { RecipeInput } from '../src/recipe/schema.ts';
import { indexLedger } from '../src/store/ledger-index.ts';
import {
  KEY_VARIABLE,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
  URL_VARIABLE,
} from './collect-setup.ts';
import { startFakeBatchApi } from './fake-batch-api.ts';
import { conversationKey, type Misbehave, startFakeOpenai } from './fake-openai-server.ts';

const TWO: RecipeInput['corpus'] = { path: 'data/quickstart/documents.jsonl', limit: 2 };
let recorded: Awaited<ReturnType<typeof recordedOutcome>>;
const cleanups: (() => unknown)[] = [];
beforeAll(async () => {
  recorded = await recordedOutcome({ corpus: TWO, collect: {} });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const noWaiting = { wait: async () => {} };

/** A judge a hundred times as dear as the labeler: 110 tokens of every judgement are $0.011. */
const DEAR = {
  kind: 'openai' as const,
  model: 'judge',
  apiKeyEnv: KEY_VARIABLE,
  baseUrlEnv: URL_VARIABLE,
  price: { inputPerMillion: 100, outputPerMillion: 100 },
};

function run(usd: number, more: Partial<RecipeInput> = {}) {
  return smallRecipe('openai', {
    corpus: TWO,
    collect: {},
    judge: { teacher: DEAR, canaries: 0 },
    budget: { usd },
    ...more,
  });
}

async function serve(misbehave?: Misbehave) {
  const server = await startFakeOpenai(
    ({ model, messages }) =>
      model === 'judge'
        ? '{"A": {"analysis": "compared", "score": 4}}'
        : recorded.answers.get(conversationKey(messages)),
    misbehave,
  );
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  return { server, folder };
}

const spent = async (ledger: string) => (await indexLedger(ledger)).spend.reduce((sum, { usd }) => sum + usd, 0);

describe('budget.usd', () => {
  it('is refused before anything is asked where a judge has no known price', async () => {
    const { server, folder } = await serve();
    const { price: _, ...unpriced } = DEAR;
    const recipe = run(0.4, { judge: { teacher: unpriced, canaries: 0 } });
    await expect(collect(recipe, folder, recordingContext().context, noWaiting)).rejects.toMatchObject({
      message: 'Cannot keep to budget.usd: no price is known for judge',
      hint: expect.stringContaining('judge.teacher.price'),
    });
    expect(server.requests).toEqual([]);
  });

  it('holds for a judge by its own price, and again after a restart; raised, the same command goes on', async () => {
    const { server, folder } = await serve();
    // A judgement can cost $0.3 at most, so that some fit in, and not all.
    const collecting = () => collect(run(0.4), folder, recordingContext().context, noWaiting);
    await expect(collecting()).rejects.toThrow(/could exceed budget.usd \(0.4\)/);
    const asked = server.requests.length;
    expect(asked).toBeGreaterThan(12);
    expect(asked).toBeLessThan(22);
    const first = await spent(folder.ledger);
    expect(first).toBeLessThanOrEqual(0.4);
    await expect(collecting()).rejects.toThrow(/could exceed budget.usd/);
    expect([server.requests.length, await spent(folder.ledger)]).toEqual([asked, first]);
    const { judgements } = await collect(run(5), folder, recordingContext().context, noWaiting);
    expect(judgements.size).toBe(10);
    const keys = server.requests.map(({ key }) => key);
    expect([keys.length, new Set(keys).size]).toEqual([22, 22]);
  });

  it('holds for batches across a restart', async () => {
    const server = await startFakeBatchApi(recorded.answers);
    process.env[KEY_VARIABLE] = 'test-key';
    process.env[URL_VARIABLE] = server.baseUrl;
    const { folder, done } = temporaryRun();
    cleanups.push(server.close, done);
    const batch = (usd: number) => {
      const recipe = run(usd, { judge: { canaries: 0 }, collect: { stages: ['pairs', 'reformulate'] } });
      return { ...recipe, teacher: { ...recipe.teacher, batch: true } as typeof recipe.teacher };
    };
    const cap = 0.0115;
    for (let process = 0; process < 2; process++) {
      const stopped = collect(batch(cap), folder, recordingContext().context, noWaiting);
      await expect(stopped).rejects.toThrow(/could exceed budget.usd/);
      expect(await spent(folder.ledger)).toBeLessThanOrEqual(cap);
    }
    const asked = server.jobs.flatMap(({ lines }) => lines.map(({ custom_id }) => custom_id));
    const { texts } = await collect(batch(5), folder, recordingContext().context, noWaiting);
    expect(texts.size).toBe(10);
    const all = server.jobs.flatMap(({ lines }) => lines.map(({ custom_id }) => custom_id));
    expect(all.length).toBeGreaterThan(asked.length);
    expect([all.length, new Set(all).size]).toEqual([12, 12]);
  });
});

it('mga status tells spend by stage and model while the run goes on', async () => {
  // The third judgement does not come.
  const { server, folder } = await serve((count) => (count === 14 ? { kind: 'slow', ms: 600_000 } : undefined));
  const unlock = lockRun(folder);
  const stop = new AbortController();
  const { collect: settings, ...rest } = run(5);
  const recipe = { ...rest, collect: { ...settings, concurrency: 1 } };
  const collecting = collect(recipe, folder, recordingContext(stop.signal).context, noWaiting);
  const ended = collecting.catch((error: Error) => error.name);
  await expect.poll(() => server.requests.length, { timeout: 60_000 }).toBe(15);
  const status = await runStatus(folder);
  expect(status.pid).toBe(process.pid);
  expect(status.open).toBe(1);
  expect(status.possiblyCharged).toEqual([]);
  expect(status.spend.map(({ stage, model, responses }) => [stage, model, responses])).toEqual([
    ['pairs', 'fake', 2],
    ['reformulate', 'fake', 10],
    ['judge', 'judge', 2],
  ]);
  expect(renderStatus(status)).toMatch(/^judge +judge +2 +200 +20 +0\.0220$/m);
  stop.abort();
  await server.close();
  cleanups.shift();
  expect(await ended).toBe('InterruptedError');
  unlock();
}, 120_000);
