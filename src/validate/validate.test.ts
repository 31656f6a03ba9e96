/** The command on recorded data, with arms that answer without a model. */

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect } from '../collect/collect.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunEvent } from '../foundation/events.ts';
import { type RunFolder, runFolder } from '../foundation/run-folder.ts';
import { loadRecipe } from '../recipe/load.ts';
import type { GenerateArm } from './arm-task.ts';
import type { TextEmbeddings } from './embed-texts.ts';
import type { ScoredItem } from './scored-item.ts';
import { validateStudents } from './validate.ts';

const recipe = loadRecipe('recipes/debug.yaml', [
  'corpus.limit=16',
  'validate.pairsPerDocument=2',
  'validate.resamples=200',
]);

let root: string;
let folder: RunFolder;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'validate-'));
  folder = runFolder(join(root, 'run'));
  await collect(recipe, folder, { emit: () => {}, signal: new AbortController().signal });
});
afterAll(() => rmSync(root, { recursive: true }));

/** The base echoes its prompt's document, students write something else; pairs are never valid JSON but the deployed student's. */
function fakeArms(asked: string[]): GenerateArm {
  return async function* ({ arm, prompts }) {
    for (const { item, messages } of [...prompts].reverse()) {
      asked.push(`${arm} ${item}`);
      const document = messages[0]!.content.slice('Document:\n'.length).split('\n\n').slice(0, -1).join('\n\n');
      const five = [1, 2, 3, 4, 5].map(
        (i) =>
          `"audience_${i}": "Those who read the morning paper, group ${i}", "genre_${i}": "A letter to the editor of that paper, ${i}"`,
      );
      const pairs = arm === 'student-w8a8' ? `{${five.join(', ')}}` : 'Here are five pairs.';
      const text = item.includes('/') ? (arm === 'base' ? document : 'Nobody knows what this is about.') : pairs;
      yield { item, text, stopped: true, tokens: 7, seconds: 0.1 };
    }
  };
}

function readLines<T>(name: string): T[] {
  const text = readFileSync(join(folder.validation, name), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

test('validateStudents() gives every arm the same inputs, keeps answers, and calls an echo copied', async () => {
  const asked: string[] = [];
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const context = { emit: (event: RunEvent) => void events.push(event), signal: stop.signal };
  const stopping: GenerateArm = async function* (task, inner) {
    for await (const answer of fakeArms(asked)(task, inner)) {
      yield answer;
      if (asked.length === 3) stop.abort();
    }
  };
  await expect(validateStudents(recipe, folder, context, { generateArm: stopping })).rejects.toThrow(InterruptedError);
  const kept = asked.slice(0, 2);

  appendFileSync(join(folder.validation, 'generations.jsonl'), '{"arm":"ba');
  const again: string[] = [];
  const fresh = { ...context, signal: new AbortController().signal };
  const tables = (await validateStudents(recipe, folder, fresh, { generateArm: fakeArms(again) }))!;
  for (const done of kept) expect(again).not.toContain(done);
  expect(new Set([...asked, ...again]).size).toBe(3 * (4 + 8));

  const [pairs, texts] = tables;
  expect(pairs!.judge.kind).toBe('validity');
  expect(pairs!.rows.map((row) => [row.arm, row.rate])).toEqual([
    ['teacher', 1],
    ['base', 0],
    ['student', 0],
    ['student-w8a8', 1],
  ]);
  // Fields alike are no loop.
  expect(pairs!.rows[3]).toMatchObject({ complete: 1 });
  expect(texts!.rows.map((row) => [row.arm, row.total, row.documents])).toEqual([
    ['teacher', 8, 4],
    ['base', 8, 4],
    ['student', 8, 4],
    ['student-w8a8', 8, 4],
  ]);
  const base = texts!.rows[1]!;
  expect(base).toMatchObject({ copied: 1, complete: 1, usable: 0 });
  expect(texts!.judge).toMatchObject({ kind: 'local' });
  expect(JSON.parse(readFileSync(folder.table1, 'utf8'))).toEqual(JSON.parse(JSON.stringify(tables)));
  expect(readLines<ScoredItem>('scores.jsonl')).toHaveLength(4 * (4 + 8));
  expect(readLines('generations.jsonl')).toHaveLength(4 * (4 + 8));

  const skipped: RunEvent[] = [];
  await validateStudents(recipe, folder, { ...fresh, emit: (event) => void skipped.push(event) });
  expect(skipped).toMatchObject([{ type: 'command-skip', command: 'validate' }]);
});

test('validateStudents() makes answers again where sampling changed, and only the arms that sample', async () => {
  const again: string[] = [];
  const changed = { ...recipe, generate: { ...recipe.generate, temperature: 0 } };
  const context = { emit: () => {}, signal: new AbortController().signal };
  await validateStudents(changed, folder, context, { generateArm: fakeArms(again) });
  expect(again).toHaveLength(3 * (4 + 8));
});

test('validateStudents() embeds texts where the recipe asks for it, and goes on where there is no embedder', async () => {
  const wanting = { ...recipe, validate: { ...recipe.validate, embeddings: 'fake' } };
  const path = join(folder.validation, 'embeddings.json');
  const warnings: string[] = [];
  const emit = (event: RunEvent) => void (event.type === 'log' && warnings.push(event.message));
  const context = { emit, signal: new AbortController().signal };
  const embed = async (texts: readonly string[]) => texts.map((text) => Float32Array.of(Math.sin(text.length), 0.1, 1));
  const found = async () => ({ name: 'fake', source: 'test', sha256: '1', embed });
  const none = () => Promise.reject(new UserError('Cannot find the embedder fake'));

  await validateStudents(wanting, folder, context, { generateArm: fakeArms([]), findEmbedder: none });
  expect(warnings).toEqual(['No embeddings. Cannot find the embedder fake']);
  expect(existsSync(path)).toBe(false);
  const tables = await validateStudents(wanting, folder, context, { generateArm: fakeArms([]), findEmbedder: found });
  expect(tables![0]!.rows[3]!.measures).toHaveProperty('embedding_spread');
  const { points, kinds } = JSON.parse(readFileSync(path, 'utf8')) as TextEmbeddings;
  expect(points.filter(({ kind }) => kind === 'source')).toHaveLength(4);
  expect(kinds.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['source', 'teacher', 'student-w8a8']));
  expect(await validateStudents(wanting, folder, context, { findEmbedder: found })).toBeUndefined();
});
