/** Runs of the same recipe in another prompt variant: asked anew, learnt with its own prompt, side by side in one table. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import { curate } from '../src/curate/curate.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { writeResolvedRecipe } from '../src/recipe/resolved.ts';
import { type Recipe, type RecipeInput, recipeSchema } from '../src/recipe/schema.ts';
import type { GenerateArm } from '../src/validate/arm-task.ts';
import type { TextEmbeddings } from '../src/validate/embed-texts.ts';
import { renderTables } from '../src/validate/render.ts';
import { validateStudents } from '../src/validate/validate.ts';
import { ledgerLines } from './collect-setup.ts';

const PAIRS = [1, 2, 3, 4, 5].map((i) => ({ genre: `A letter, kind ${i}`, audience: `Readers of group ${i}` }));
const DOCUMENTS = Array.from({ length: 8 }, (_, i) => ({
  id: `d${i}`,
  text: `Mill ${i} was built in 18${10 + i} on the river Aller and grinds rye for the villages around it.`,
}));
const TEXTS = {
  base: (id: string) => `Dear friends, mill ${id} still grinds rye on the river Aller for the villages around.`,
  strict: (id: string) => `Dear friends, mill ${id} was built on the river Aller and grinds rye for the villages.`,
  relaxed: (id: string) => `Dear friends, who of you has ever heard a wheel turn at night near ${id}? I have.`,
};
const SCORES = { base: 5, strict: 5, relaxed: 1 };

const root = mkdtempSync(join(tmpdir(), 'mga-variants-'));
const context = { emit: () => {}, signal: new AbortController().signal };
afterAll(() => rmSync(root, { recursive: true }));

/** One text of each variant for pair 1 of every document, each with its judgement. */
beforeAll(() => {
  const lines = (name: string, rows: readonly object[]) =>
    writeFileSync(join(root, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const kinds = Object.entries(TEXTS) as [keyof typeof TEXTS, (id: string) => string][];
  const texts = DOCUMENTS.flatMap(({ id }) =>
    kinds.map(([kind, text]) => ({ id: `${id}-${kind}`, doc_id: id, pair: 1, kind, text: text(id) })),
  );
  lines('documents.jsonl', DOCUMENTS);
  lines(
    'pairs.jsonl',
    DOCUMENTS.map(({ id }) => ({ doc_id: id, pairs: PAIRS })),
  );
  lines('texts.jsonl', texts);
  lines(
    'judgements.jsonl',
    texts.map(({ id, doc_id, kind }) => ({ text_id: id, doc_id, analysis: '', score: SCORES[kind] })),
  );
  lines(
    'judge-texts.jsonl',
    texts.filter(({ kind }) => kind !== 'base'),
  );
  const splits = { train: ['d0', 'd1', 'd2', 'd3'], dev: ['d4', 'd5'], validation: ['d6', 'd7'] };
  writeFileSync(join(root, 'splits.json'), JSON.stringify(splits));
});

function recipeOf(prompt: 'base' | 'strict' | 'relaxed', changes: Partial<RecipeInput> = {}): Recipe {
  return recipeSchema.parse({
    name: `variant-${prompt}`,
    corpus: { path: join(root, 'documents.jsonl') },
    splits: { file: join(root, 'splits.json') },
    teacher: { kind: 'recorded', folder: root },
    collect: { judgeTexts: join(root, 'judge-texts.jsonl') },
    reformulate: { prompt },
    curate: { minScore: 1, maxCopied: 1, minKeywordCoverage: 0 },
    students: [{ name: 'writer', stages: ['reformulate'] }],
    train: { model: 'tiny-random' },
    ...changes,
  });
}

async function collected(recipe: Recipe, folder: RunFolder) {
  await collect(recipe, folder, context);
  return readCollected(recipe, folder);
}

test('a variant is asked anew in the same folder, and its texts and judgements are its own', async () => {
  const folder = runFolder(join(root, 'one'));
  const base = await collected(recipeOf('base'), folder);
  expect(base.texts.get('d0/1')!.text).toBe(TEXTS.base('d0'));
  const before = (await ledgerLines(folder)).length;
  const relaxed = await collected(recipeOf('relaxed'), folder);
  expect(relaxed.texts.get('d0/1')!.text).toBe(TEXTS.relaxed('d0'));
  expect(relaxed.judgements.get('d0/1')![0]!.score).toBe(1);
  // The same text as one of judgeTexts is judged there, too.
  expect(relaxed.judgements.get('d0-relaxed')![0]!.score).toBe(1);
  expect((await ledgerLines(folder)).length).toBeGreaterThan(before);
  const again = await collected(recipeOf('base'), folder);
  expect(again.answersHash).toBe(base.answersHash);
  expect(again.missing).toBe(0);
});

test('students learn the short prompt of their variant', async () => {
  const prompts = new Set<string>();
  for (const variant of ['base', 'strict', 'relaxed'] as const) {
    const folder = runFolder(join(root, `sft-${variant}`));
    const recipe = recipeOf(variant);
    await collect(recipe, folder, context);
    await curate(recipe, folder, context);
    const [row] = readSft(folder.sft(1, 'reformulate', 'train'));
    expect(row!.completion[0]!.content).toBe(TEXTS[variant](row!.doc_id));
    prompts.add(row!.prompt[0]!.content.replace(/^.*\n\n/s, ''));
  }
  expect(prompts.size).toBe(3);
});

test("other variants' students stand in one table and picture with this run's, each asked as it has learnt", async () => {
  for (const variant of ['strict', 'relaxed'] as const) {
    writeResolvedRecipe(recipeOf(variant), runFolder(join(root, `slm-${variant}`)));
  }
  const arm = (variant: string) =>
    ({ kind: 'run', name: `slm-${variant}`, run: join(root, `slm-${variant}`), precision: 'f32' }) as const;
  const model = { kind: 'model', name: 'untrained-strict', model: 'tiny-random', variant: 'strict' } as const;
  const arms = ['teacher', 'student', arm('strict'), arm('relaxed'), model] as const;
  const recipe = recipeOf('base', {
    validate: { arms: [...arms], resamples: 100, pairsPerDocument: 5, embeddings: 'fake' },
  });
  const folder = runFolder(join(root, 'table'));
  await collect(recipe, folder, context);
  const asked = new Map<string, string>();
  const echo: GenerateArm = async function* ({ arm: name, prompts }) {
    for (const { item, docId, messages } of prompts) {
      asked.set(name, messages[0]!.content);
      const variant = name.endsWith('relaxed') ? 'relaxed' : name.endsWith('strict') ? 'strict' : 'base';
      yield { item, text: `${TEXTS[variant](docId)} ${item}`, stopped: true, tokens: 1, seconds: 0 };
    }
  };
  const embed = async (texts: readonly string[]) => texts.map((text) => Float32Array.of(Math.sin(text.length), 0.1, 1));
  const findEmbedder = async () => ({ name: 'fake', source: 'test', sha256: '1', embed });
  const [table] = (await validateStudents(recipe, folder, context, { generateArm: echo, findEmbedder }))!;
  expect(asked.get('student')).toContain('Rewrite the document');
  expect(asked.get('slm-strict')).toContain('Polish the document lightly');
  expect(asked.get('slm-relaxed')).toContain('Write a new text');
  expect(asked.get('untrained-strict')).toContain('Polish the document lightly');
  expect(table!.rows.map(({ model: name }) => name)).toContain(
    'writer of slm-relaxed (tiny-random), asked reformulate-relaxed-1',
  );
  const stored = JSON.parse(readFileSync(folder.table1, 'utf8')) as (typeof table)[];
  for (const { table2, counts, total } of stored[0]!.rows) {
    expect(table2!.at_least_4.rate).toBeCloseTo((counts!['5'] + counts!['4']) / total, 12);
    expect(table2!.at_most_2.rate).toBeCloseTo((counts!['2'] + counts!['1']) / total, 12);
    expect(table2!.exactly_5.ci[0]).toBeLessThanOrEqual(table2!.exactly_5.rate);
  }
  expect(renderTables([table!], 'text')).toMatch(/Table 2 +Rate\(<=2\) +Rate\(>=4\) +Rate\(=5\)\n.*slm-relaxed/s);
  const { kinds } = JSON.parse(readFileSync(join(folder.validation, 'embeddings.json'), 'utf8')) as TextEmbeddings;
  expect(kinds.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['source', 'teacher', 'student', 'slm-strict', 'slm-relaxed', 'strict', 'relaxed']),
  );
});
