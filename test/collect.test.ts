/** The command `collect` against a recording and against a local OpenAI-compatible server that serves the same answers. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import type { CollectStatus } from '../src/collect/status-file.ts';
import { teacherJudgements } from '../src/collect/teacher-judgements.ts';
import { InterruptedError, UserError } from '../src/foundation/errors.ts';
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
import { type FakeServer, type Misbehave, type Misbehaviour, startFakeOpenai } from './fake-openai-server.ts';

let recorded: Awaited<ReturnType<typeof recordedOutcome>>;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  recorded = await recordedOutcome();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(misbehave?: Misbehave): Promise<FakeServer> {
  const server = await startFakeOpenai(recorded.answers, misbehave);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  cleanups.push(server.close, () => {
    delete process.env[KEY_VARIABLE];
    delete process.env[URL_VARIABLE];
  });
  return server;
}

function newRun() {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  return folder;
}

/** Does not wait, and keeps how long it was asked to. */
function noWaiting() {
  const waits: number[] = [];
  return { waits, wait: async (ms: number) => void waits.push(ms) };
}

describe('collect()', () => {
  it('takes everything the recording holds for the documents, also of validation', () => {
    const { documents, splits, pairs, texts, judgements, failures, missing } = recorded.outcome;
    expect(documents.size).toBe(5);
    expect(splits.validation.length).toBeGreaterThan(0);
    expect(pairs.size).toBe(5);
    expect(texts.size).toBe(25);
    expect(judgements.size).toBeGreaterThanOrEqual(25);
    expect([failures, missing]).toEqual([[], 0]);
  });

  it('gives through a misbehaving server what the recording gives', async () => {
    const faults: Misbehaviour[] = [
      { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
      { kind: 'status', status: 500 },
      { kind: 'garbage' },
      { kind: 'cut-off' },
      { kind: 'reset' },
      { kind: 'slow', ms: 20 },
    ];
    const server = await serve((count) => (count % 3 === 1 ? faults[((count - 1) / 3) % faults.length] : undefined));
    const folder = newRun();
    const recipe = smallRecipe('openai');
    const { waits, wait } = noWaiting();
    await collect(recipe, folder, recordingContext().context, { wait });

    const collected = await readCollected(recipe, folder);
    expect(comparable(collected)).toEqual(recorded.outcome);
    expect(waits.some((ms) => ms === 7000)).toBe(true);
    expect(server.requests.every((request) => request.authorization === 'Bearer test-key')).toBe(true);

    const sent = new Map<string, number>();
    const answered = new Set<string>();
    for (const line of await ledgerLines(folder)) {
      if (line.type === 'sent') sent.set(line.key, (sent.get(line.key) ?? 0) + 1);
      if (line.type !== 'response') continue;
      expect(sent.get(line.key)).toBeGreaterThan(0);
      expect(answered.has(line.key)).toBe(false);
      answered.add(line.key);
      expect(line.usd).toBeCloseTo((100 * 1 + 10 * 10) / 1e6, 12);
    }
    // One `sent` line a request, under the key that the server was given.
    const asked = new Map<string, number>();
    for (const { key } of server.requests) asked.set(key, (asked.get(key) ?? 0) + 1);
    expect(asked).toEqual(sent);
    const dollars = collected.spend.reduce((sum, one) => sum + one.usd, 0);
    expect(dollars).toBeCloseTo((answered.size * 200) / 1e6, 12);
  });

  it('asks nothing that is answered, and says so', async () => {
    const server = await serve();
    const folder = newRun();
    await collect(smallRecipe('openai'), folder, recordingContext().context);
    const before = server.requests.length;
    const { events, context } = recordingContext();
    await collect(smallRecipe('openai'), folder, context);
    expect(server.requests.length).toBe(before);
    expect(events.map((event) => event.type)).toEqual(['command-skip']);
  });

  it('never has more requests in flight than the recipe allows', async () => {
    const server = await serve(() => ({ kind: 'slow', ms: 30 }));
    const recipe = smallRecipe('openai');
    await collect({ ...recipe, collect: { ...recipe.collect, concurrency: 3 } }, newRun(), recordingContext().context);
    expect(server.mostAtOnce()).toBe(3);
  });

  it('waits for the reset where the server says that nothing is left, and for no longer than ten minutes', async () => {
    const nothingLeft = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m30s' };
    const server = await serve((count) => {
      if (count === 0) return { kind: 'headers', headers: nothingLeft };
      return count === 9 ? { kind: 'status', status: 429, headers: { 'retry-after': '86400' } } : undefined;
    });
    const recipe = smallRecipe('openai', { collect: { stages: ['pairs', 'reformulate'], concurrency: 1 } });
    const { waits, wait } = noWaiting();
    await collect(recipe, newRun(), recordingContext().context, { wait });
    expect(server.requests.length).toBe(31);
    const [reset, refused] = waits.map((ms) => Math.ceil(ms / 1000));
    expect([reset, refused]).toEqual([90, 600]);
  });

  it('stops at once when the quota is used up, keeps what was paid, and goes on later', async () => {
    let broke = true;
    const server = await serve((count) =>
      broke && count >= 3 ? { kind: 'status', status: 429, code: 'insufficient_quota' } : undefined,
    );
    const folder = newRun();
    const recipe = smallRecipe('openai');
    await expect(collect(recipe, folder, recordingContext().context)).rejects.toThrow(/no quota left/);
    expect(server.requests.length).toBeLessThanOrEqual(5);
    broke = false;
    await collect(recipe, folder, recordingContext().context);
    expect(comparable(await readCollected(recipe, folder))).toEqual(recorded.outcome);
  });

  it('never spends more than the budget, also over several runs, and goes on when it is raised', async () => {
    const server = await serve();
    const folder = newRun();
    const usd = 0.026;
    const spent = async () => {
      const responses = (await ledgerLines(folder)).filter((line) => line.type === 'response');
      return responses.reduce((sum, line) => sum + (line.usd ?? 0), 0);
    };
    const asked: number[] = [];
    for (let run = 0; run < 2; run++) {
      const stopped = collect(smallRecipe('openai', { budget: { usd } }), folder, recordingContext().context);
      await expect(stopped).rejects.toThrow(/could exceed budget\.usd \(0\.026\)/);
      asked.push(server.requests.length);
      expect(await spent()).toBeLessThanOrEqual(usd);
    }
    // What a request can cost at most is held back, so the first run asks until no other one is sure to fit.
    expect(asked[0]).toBeGreaterThan(5);
    expect(asked[1]).toBe(asked[0]);
    // With more in flight than fits, the rest waits: eight of these at once could cost more than the cap.
    expect(server.mostAtOnce()).toBeLessThan(8);
    const recipe = smallRecipe('openai', { budget: { usd: 10 } });
    await collect(recipe, folder, recordingContext().context);
    expect(comparable(await readCollected(recipe, folder))).toEqual(recorded.outcome);
    expect(new Set(server.requests.map(({ key }) => key)).size).toBe(server.requests.length);
  });

  it('keeps and counts what a server refuses, and does not ask it again', async () => {
    const server = await serve((_, { key }) =>
      key === server.requests[0]!.key ? { kind: 'status', status: 400 } : undefined,
    );
    const folder = newRun();
    const recipe = smallRecipe('openai', { collect: { stages: ['pairs'], concurrency: 1 } });
    const collected = await collect(recipe, folder, recordingContext().context);
    expect(collected.pairs.size).toBe(4);
    expect(collected.failures).toMatchObject([{ stage: 'pairs', kind: 'failed' }]);
    expect(collected.failures[0]!.reason).toContain('400');
    await collect(recipe, folder, recordingContext().context);
    // The refused one was asked with its schema and without.
    expect(server.requests.length).toBe(6);
  });

  it('counts an answer that does not fit as unparsed, and does not pay for it twice', async () => {
    const [first] = recorded.answers.keys();
    const answers = new Map(recorded.answers).set(first!, 'I would rather not.');
    const server = await startFakeOpenai(answers);
    cleanups.push(server.close);
    process.env[KEY_VARIABLE] = 'test-key';
    process.env[URL_VARIABLE] = server.baseUrl;
    const folder = newRun();
    const recipe = smallRecipe('openai', { collect: { stages: ['pairs'] } });
    const collected = await collect(recipe, folder, recordingContext().context);
    expect(collected.failures).toMatchObject([{ stage: 'pairs', kind: 'unparsed' }]);
    await collect(recipe, folder, recordingContext().context);
    expect(server.requests.length).toBe(5);
  });

  it('on Ctrl-C sends nothing new, keeps what was in flight, and goes on later', async () => {
    const server = await serve(() => ({ kind: 'slow', ms: 10 }));
    const folder = newRun();
    const recipe = smallRecipe('openai');
    const stop = new AbortController();
    const { context } = recordingContext(stop.signal);
    const emit: typeof context.emit = (event) => {
      if (event.type === 'sample-made') stop.abort();
      context.emit(event);
    };
    await expect(collect(recipe, folder, { ...context, emit })).rejects.toThrow(InterruptedError);
    const lines = await ledgerLines(folder);
    expect(lines.filter((line) => line.type === 'response').length).toBe(server.requests.length);
    await collect(recipe, folder, recordingContext().context);
    expect(new Set(server.requests.map((request) => request.key)).size).toBe(server.requests.length);
  });

  it('says which documents a recording does not cover', async () => {
    const folder = newRun();
    const corpus = join(folder.root, 'documents.jsonl');
    writeFileSync(
      corpus,
      ['oak-13', 'new-1'].map((id) => JSON.stringify({ id, text: `The text of ${id}.` }) + '\n').join(''),
    );
    const recipe = smallRecipe('recorded', { corpus: { path: corpus }, splits: {}, collect: { stages: ['pairs'] } });
    const collected = await collect(recipe, folder, recordingContext().context);
    expect([...collected.pairs.keys()]).toEqual(['oak-13']);
    expect(collected.failures).toMatchObject([{ docId: 'new-1', kind: 'failed' }]);
    expect(collected.failures[0]!.reason).toContain('holds no pairs answer for new-1');
  });

  it('does not call it success when every request failed', async () => {
    await serve(() => ({ kind: 'status', status: 500 }));
    const failing = collect(smallRecipe('openai'), newRun(), recordingContext().context, noWaiting());
    await expect(failing).rejects.toThrow(/Cannot collect pairs: all 5 requests failed.*500/);
  });

  it('gives up on a server that is gone', async () => {
    const server = await serve(() => ({ kind: 'reset' }));
    const recipe = smallRecipe('openai', {
      corpus: { path: 'data/quickstart/documents.jsonl' },
      collect: { stages: ['pairs'], maxAttempts: 2, concurrency: 4 },
    });
    const failing = collect(recipe, newRun(), recordingContext().context, noWaiting());
    await expect(failing).rejects.toThrow(/25 requests in a row failed.*connection failed/);
    expect(server.requests.length).toBeLessThanOrEqual(2 * (25 + 4));
  });

  it('names the variable of a missing key', async () => {
    const failing = collect(smallRecipe('openai'), newRun(), recordingContext().context);
    await expect(failing).rejects.toThrow(UserError);
    await expect(failing).rejects.toThrow(KEY_VARIABLE);
  });

  it('names file and line of an unreadable document', async () => {
    const folder = newRun();
    const corpus = join(folder.root, 'documents.jsonl');
    writeFileSync(corpus, '{"id": "a", "text": "fine"}\n{"id": "b", "text": 3}\n');
    const failing = collect(smallRecipe('recorded', { corpus: { path: corpus } }), folder, recordingContext().context);
    await expect(failing).rejects.toThrow(/documents\.jsonl, line 2: field `text`/);
  });

  it('tells a second process who holds the run', async () => {
    await serve(() => ({ kind: 'slow', ms: 50 }));
    const folder = newRun();
    const first = collect(smallRecipe('openai'), folder, recordingContext().context);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const second = collect(smallRecipe('openai'), folder, recordingContext().context);
    await expect(second).rejects.toThrow(new RegExp(`process ${process.pid} .* holds it since`));
    await first;
  });

  it('keeps a status file with counts and spend', async () => {
    await serve();
    const folder = newRun();
    await collect(smallRecipe('openai'), folder, recordingContext().context);
    const status = (JSON.parse(readFileSync(folder.status, 'utf8')) as { collect: CollectStatus }).collect;
    expect(status).toMatchObject({ state: 'complete', teacher: 'fake', possiblyCharged: [] });
    expect(status.stages.reformulate).toEqual({ total: 25, answered: 25, failed: 0, unparsed: 0 });
    expect(status.usd).toBeGreaterThan(0);
  });
});

describe('teacherJudgements()', () => {
  it('has any text judged, once, and gives a reason where there is no score', async () => {
    const server = await serve();
    const folder = newRun();
    const recipe = smallRecipe('openai');
    const { documents, texts, judgements } = recorded.outcome;
    const [item, { docId, text }] = [...texts][0]!;
    const judged = [
      { id: 'student:1', docId, text, kind: 'student' },
      { id: 'student:2', docId, text: 'A text the server has never seen.', kind: 'student' },
    ];
    for (let run = 0; run < 2; run++) {
      const { context } = recordingContext();
      const scores = await teacherJudgements(recipe, folder, judged, documents, context);
      expect(scores.get('student:1')).toMatchObject({ ok: true, value: judgements.get(item)![0]! });
      expect(scores.get('student:2')).toMatchObject({ ok: false, reason: expect.stringContaining('400') });
    }
    expect(new Set(server.requests.map(({ key }) => key)).size).toBe(2);
    expect(server.requests.length).toBe(3);
  });

  it('does not let a recording judge what it has not seen', async () => {
    const judging = teacherJudgements(smallRecipe('recorded'), newRun(), [], new Map(), recordingContext().context);
    await expect(judging).rejects.toThrow(/the teacher of this recipe is a recording/);
  });
});
