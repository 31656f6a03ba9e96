/** What a request is known by: whatever changes what is asked is asked again, and nothing else; going back asks nothing. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { KEY_VARIABLE, recordingContext, smallRecipe, temporaryRun, URL_VARIABLE } from './collect-setup.ts';
import { conversationKey, startFakeOpenai } from './fake-openai-server.ts';
import { labelerAnswer, labelerCorpus } from './labeler.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('a changed prompt, parameter or document asks again what it changes, and that alone', async () => {
  const server = await startFakeOpenai(({ messages }) => labelerAnswer(conversationKey(messages), messages).text);
  const { folder, done } = temporaryRun();
  cleanups.push(server.close, done);
  process.env[KEY_VARIABLE] = 'test-key';
  process.env[URL_VARIABLE] = server.baseUrl;
  const corpus = join(folder.root, 'documents.jsonl');
  const documents = labelerCorpus(3).trim().split('\n');
  const write = (rows: readonly string[]) => writeFileSync(corpus, `${rows.join('\n')}\n`);
  const recipe = (changes: Parameters<typeof smallRecipe>[1] = {}) =>
    smallRecipe('openai', {
      corpus: { path: corpus },
      splits: { dev: 0.34, validation: 0 },
      collect: {},
      judge: { canaries: 0 },
      ...changes,
    });
  const asked = async (changes: Parameters<typeof smallRecipe>[1] = {}) => {
    const before = server.requests.length;
    await collect(recipe(changes), folder, recordingContext().context);
    return server.requests.length - before;
  };

  // A document: its pairs, five reformulations, five judgements.
  write(documents);
  expect(await asked()).toBe(3 * 11);
  expect(await asked()).toBe(0);
  expect(await asked({ judge: { canaries: 0, prompt: 'judge-points-1' } })).toBe(3 * 5);
  expect(await asked({ judge: { canaries: 0, temperature: 0.5 } })).toBe(3 * 5);
  expect(await asked({ judge: { canaries: 0, rubric: 'Score what is kept.' } })).toBe(3 * 5);
  write([documents[0]!.replace('tells what happened', 'says what happened'), ...documents.slice(1)]);
  expect(await asked()).toBe(11);
  write(documents);
  expect(await asked()).toBe(0);
  // What has no part in the answer has none in the identity.
  expect(await asked({ collect: { concurrency: 2, maxAttempts: 2 }, budget: { usd: 100 } })).toBe(0);
});
