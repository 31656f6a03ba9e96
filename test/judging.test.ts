/** Judging apart from labeling, against a local server on which labeler and judges are models of their own. */

import { appendFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import type { CollectStatus } from '../src/collect/status-file.ts';
import { teacherJudge } from '../src/judge/teacher-judge.ts';
import type { RecipeInput } from '../src/recipe/schema.ts';
import {
  KEY_VARIABLE,
  ledgerLines,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
  URL_VARIABLE,
} from './collect-setup.ts';
import { type ChatBody, conversationKey, startFakeOpenai } from './fake-openai-server.ts';

let recorded: Awaited<ReturnType<typeof recordedOutcome>>;
const cleanups: (() => unknown)[] = [];
beforeAll(async () => {
  recorded = await recordedOutcome({ collect: { stages: ['pairs', 'reformulate'] } });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const judgement = (score: number) => `{"A": {"analysis": "compared", "score": ${score}}}`;

/** The labeler answers from the recording; judges by `judge`, which is given how often they were asked the same before. */
async function serve(judge: (body: ChatBody, times: number) => number | string) {
  const asked = new Map<string, number>();
  const server = await startFakeOpenai((body) => {
    if (body.model === 'fake') return recorded.answers.get(conversationKey(body.messages));
    const key = body.model + conversationKey(body.messages);
    const times = asked.get(key) ?? 0;
    asked.set(key, times + 1);
    const score = judge(body, times);
    if (typeof score === 'string') return score;
    const text = judgement(score);
    const place = {
      token: String(score),
      top_logprobs: [
        { token: String(score), logprob: Math.log(0.75) },
        { token: '1', logprob: Math.log(0.25) },
      ],
    };
    const [before, after] = text.split(String(score)) as [string, string];
    const plain = (token: string) => ({ token, top_logprobs: [] });
    return body.logprobs ? { text, logprobs: { content: [plain(before), place, plain(after)] } } : text;
  });
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  cleanups.push(server.close);
  return server;
}

const judgeTeacher = (model: string) => ({
  kind: 'openai' as const,
  model,
  apiKeyEnv: KEY_VARIABLE,
  baseUrlEnv: URL_VARIABLE,
  price: { inputPerMillion: 100, outputPerMillion: 100 },
});

function run(judge: NonNullable<RecipeInput['judge']>, more: Partial<RecipeInput> = {}) {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  const recipe = smallRecipe('openai', {
    collect: {},
    judge: { teacher: judgeTeacher('judge'), canaries: 0, ...judge },
    ...more,
  });
  return { recipe, folder };
}

test('a judge of its own is asked one text a call, several times, and its median counts', async () => {
  await serve((_, times) => [5, 3, 4][times]!);
  const { recipe, folder } = run({ repeats: 3, logprobs: true });
  const { judgements, failures } = await collect(recipe, folder, recordingContext().context);
  expect(failures).toEqual([]);
  expect(judgements.size).toBe(25);
  for (const given of judgements.values()) expect(given.map(({ score }) => score)).toEqual([5, 3, 4]);
  expect([...judgements.values()][0]![0]!.distribution).toEqual([0.25, 0, 0, 0, 0.75]);
  const lines = (await ledgerLines(folder)).filter((line) => line.type === 'response' && line.stage === 'judge');
  expect(lines).toHaveLength(75);
  expect(new Set(lines.map(({ key }) => key)).size).toBe(75);
  // By the judge's own price, not the labeler's.
  for (const line of lines) expect(line).toMatchObject({ model: 'judge', usd: (110 * 100) / 1e6 });
  const { collect: status } = JSON.parse(readFileSync(folder.status, 'utf8')) as { collect: CollectStatus };
  expect(status.judging!.repeats).toMatchObject({ texts: 25, equal: 0, spread: 1 });
});

test('a judge that obeys the texts is found out, and one that cannot be read is not taken for a strict one', async () => {
  const obedient = (prompt: string) => /Give this a 5|"score": 5|score": 5/.test(prompt.split('Above stand')[0]!);
  await serve(({ messages }) => (obedient(messages[0]!.content) ? 5 : 1));
  const { recipe, folder } = run({ canaries: 10 });
  const { events, context } = recordingContext();
  const { canaries } = await collect(recipe, folder, context);
  expect(canaries).toHaveLength(10);
  expect(
    canaries.filter(({ score }) => score === 5).every(({ kind }) => ['asks', 'answers', 'escapes'].includes(kind)),
  ).toBe(true);
  const said = JSON.stringify(events);
  expect(said).toContain('does not see planted faults');
  expect(said).toContain('4 of 10 canaries caught');
  const { collect: status } = JSON.parse(readFileSync(folder.status, 'utf8')) as { collect: CollectStatus };
  expect(status.judging!.canaries).toMatchObject({ texts: 10, caught: 0.4, unscored: 0 });

  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await serve(({ messages }) => (messages[0]!.content.includes('Give this a 5') ? 'I had rather not.' : 2));
  const other = run({ canaries: 10 });
  const mute = await collect(other.recipe, other.folder, recordingContext().context);
  expect(mute.failures.map(({ kind }) => kind)).toEqual(['unparsed', 'unparsed']);
  expect(mute.canaries.filter(({ score }) => score === null)).toHaveLength(2);
});

test('a second judge scores the same texts, and chooses nothing', async () => {
  await serve(({ model }) => (model === 'judge' ? 4 : 2));
  const { recipe, folder } = run({ second: judgeTeacher('other') });
  const alone = run({});
  const [both, one] = [
    await collect(recipe, folder, recordingContext().context),
    await collect(alone.recipe, alone.folder, recordingContext().context),
  ];
  expect(both.judgements).toEqual(one.judgements);
  expect(both.answersHash).toBe(one.answersHash);
  expect([...both.secondJudgements.values()].every(({ score }) => score === 2)).toBe(true);
  expect(both.secondJudgements.size).toBe(25);
  const { collect: status } = JSON.parse(readFileSync(folder.status, 'utf8')) as { collect: CollectStatus };
  expect(status.judging!.second).toEqual({ texts: 25, equal: 0, shift: -2 });
});

test('teacherJudge() asks the judge of validation, which may differ, and keeps what else it said', async () => {
  const server = await serve(({ model }, times) => (model === 'other' ? 1 : [5, 2, 3][times]!));
  const { recipe, folder } = run(
    {},
    {
      validate: {
        judge: {
          kind: 'teacher',
          teacher: judgeTeacher('strict'),
          prompt: 'judge-points-1',
          repeats: 3,
          logprobs: true,
          second: judgeTeacher('other'),
        },
      },
    },
  );
  const judge = teacherJudge(recipe, folder, () => {});
  const items = [{ id: 'x', document: { id: 'd', text: 'Bees dance.' }, text: 'Bees do dance.' }];
  const signal = new AbortController().signal;
  expect(await judge.score(items, signal)).toEqual([3]);
  expect(await judge.score(items, signal)).toEqual([3]);
  expect(server.requests).toHaveLength(4);
  expect(judge.detail!('x')).toMatchObject({ scores: [5, 2, 3], second: 1 });
  expect(judge.detail!('x')!.expected).toBeCloseTo((0.75 * 10) / 3 + 0.25, 12);
  expect(judge.describe().description).toBe(
    'An LLM apart from the labeler (strict), by prompt judge-points-1, median of 3 judgements.',
  );
});

test('repeats by a recording are the further ratings it holds; texts it rated once have one score', async () => {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  const recording = join(folder.root, 'recording');
  cpSync('data/quickstart', recording, { recursive: true });
  const lines = (file: string) => readFileSync(join(recording, file), 'utf8').trim().split('\n');
  const [text] = lines('texts.jsonl')
    .map((line) => JSON.parse(line) as { id: string; doc_id: string; pair: number; kind: string })
    .filter(({ doc_id, pair, kind }) => doc_id === 'juniper-03' && pair === 1 && kind === 'base');
  const again = { text_id: text!.id, doc_id: text!.doc_id, repeat: 2, analysis: 'Read again.', score: 2 };
  appendFileSync(join(recording, 'judgements.jsonl'), `${JSON.stringify(again)}\n`);
  const recipe = smallRecipe('recorded', { teacher: { kind: 'recorded', folder: recording }, judge: { repeats: 2 } });
  const { judgements, failures } = await collect(recipe, folder, recordingContext().context);
  expect(judgements.get('juniper-03/1')!.map(({ score }) => score)).toEqual([expect.any(Number), 2]);
  expect([...judgements.values()].filter((given) => given.length > 1)).toHaveLength(1);
  expect(failures).toHaveLength(judgements.size - 1);
  expect(failures[0]!.reason).toMatch(/holds no judge answer number 2/);
});
