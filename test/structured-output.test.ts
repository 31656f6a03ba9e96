/** Structured output: schemas go along where the server takes them, and nothing is lost where it does not. */

import { afterEach, beforeAll, expect, it } from 'vitest';
import { collect } from '../src/collect/collect.ts';
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
import { type Misbehave, startFakeOpenai } from './fake-openai-server.ts';

const changes = { corpus: { path: 'data/quickstart/documents.jsonl', limit: 2 } };
let recorded: Awaited<ReturnType<typeof recordedOutcome>>;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  recorded = await recordedOutcome(changes);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function collected(misbehave?: Misbehave, structured = true) {
  const server = await startFakeOpenai(recorded.answers, misbehave);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  const recipe = smallRecipe('openai', { ...changes, collect: { concurrency: 1 } });
  if (recipe.teacher.kind === 'openai') recipe.teacher.structured = structured;
  const outcome = comparable(await collect(recipe, folder, recordingContext().context));
  expect(outcome.pairs).toEqual(recorded.outcome.pairs);
  const responses = (await ledgerLines(folder)).filter((line) => line.type === 'response');
  return { server, outcome, responses };
}

it('a schema goes along with the stages whose answers are JSON, and the ledger says so', async () => {
  const { server, responses } = await collected();
  expect(new Set(server.requests.map(({ schema }) => schema))).toEqual(new Set(['pairs', undefined, 'judge']));
  for (const { stage, structured } of responses) expect(structured ?? false).toBe(stage !== 'reformulate');
});

it('a server that knows no schemas is asked without, once it has refused one', async () => {
  const { server, responses } = await collected((_, { schema }) =>
    schema === undefined ? undefined : { kind: 'status', status: 400 },
  );
  expect(server.requests.filter(({ schema }) => schema !== undefined).length).toBe(1);
  expect(server.requests.length).toBe(responses.length + 1);
  expect(responses.some(({ structured }) => structured)).toBe(false);
});

it('a request that is refused either way does not end schemas for the others', async () => {
  let refused: string | undefined;
  const { server, outcome } = await collected((_, { key, schema }) => {
    if (schema === 'judge') refused ??= key;
    return key === refused ? { kind: 'status', status: 400 } : undefined;
  });
  expect(server.requests.at(-1)!.schema).toBe('judge');
  expect(outcome.failures).toMatchObject([{ stage: 'judge', kind: 'failed' }]);
});

it('teacher.structured: false sends none', async () => {
  const { server } = await collected(undefined, false);
  expect(server.requests.every(({ schema }) => schema === undefined)).toBe(true);
});
