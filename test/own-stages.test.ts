/** A stage of one's own from a recipe to the report, at debug size, against a local server. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readDocuments } from '../src/corpus/documents.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { runPipeline } from '../src/pipeline/run.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { collectedStages } from '../src/stage/recipe-stages.ts';
import type { StageTable } from '../src/validate/table.ts';
import { KEY_VARIABLE, recordingContext, URL_VARIABLE } from './collect-setup.ts';
import { conversationKey, startFakeOpenai } from './fake-openai-server.ts';

const TIMEOUT_MS = 300_000;
const root = mkdtempSync(join(tmpdir(), 'own-stages-'));
afterAll(() => rmSync(root, { recursive: true }));

const ownRecipe = loadRecipe('recipes/page-labels.yaml', [
  'corpus.limit=8',
  'splits.dev=0.25',
  'splits.validation=0.5',
  'teacher.model=fake',
  `teacher.apiKeyEnv=${KEY_VARIABLE}`,
  `teacher.baseUrlEnv=${URL_VARIABLE}`,
  'train.model=tiny-random',
  'train.lora={rank: 4, alpha: 8}',
  'train.maxSteps=2',
  'train.samplesPerStep=2',
  'train.maxTokens=4096',
  'generate.maxTokens=8',
  'quantize.calibrationSamples=2',
  'validate.resamples=200',
]);

test(
  'topic and level of a page, from collect to report',
  async () => {
    const [stage] = collectedStages(ownRecipe);
    const documents = [...(await readDocuments(ownRecipe.corpus, ownRecipe.seed)).values()];
    // Every second answer spells its labels in its own way, the last one has no such topic.
    const spellings = ['{"topic": "nature", "level": 2}', 'Sure:\n```json\n{"level": "3", "topic": "Science"}\n```'];
    const answers = new Map(
      documents.map((document, i) => {
        const prompt = stage!.teacherPrompt({ document, pair: { genre: '', audience: '' }, text: '' });
        const text = i === documents.length - 1 ? '{"topic": "sport", "level": 1}' : spellings[i % 2]!;
        return [conversationKey(prompt), text] as const;
      }),
    );
    const server = await startFakeOpenai(answers);
    process.env[KEY_VARIABLE] = 'test-key';
    process.env[URL_VARIABLE] = server.baseUrl;
    const arms: Recipe['validate']['arms'] = [
      ...ownRecipe.validate.arms,
      { kind: 'model', name: 'alias', model: 'tiny-random', prompt: 'student' },
      {
        kind: 'server',
        name: 'big',
        model: 'fake',
        baseUrl: server.baseUrl,
        apiKeyEnv: KEY_VARIABLE,
        prompt: 'teacher',
        temperature: 0.7,
      },
    ];
    const recipe = { ...ownRecipe, validate: { ...ownRecipe.validate, arms } };
    const folder = runFolder(join(root, 'run'));
    const { context } = recordingContext();
    await runPipeline(recipe, folder, context);
    await server.close();

    expect(new Set(server.requests.map(({ key }) => key)).size).toBe(server.requests.length);
    expect(new Set(server.requests.map(({ schema }) => schema))).toEqual(new Set(['page']));
    const rows = (['train', 'dev'] as const).flatMap((split) => readSft(folder.sft(1, 'page', split)));
    expect(rows[0]!.prompt[0]!.content).toMatch(/^Document:\n[\s\S]+\n\nWhat is the page about, .* topic and level\.$/);
    const taught = new Set(rows.map(({ completion }) => completion[0]!.content));
    for (const text of taught)
      expect(['{"topic": "nature", "level": 2}', '{"topic": "science", "level": 3}']).toContain(text);

    const [table] = JSON.parse(readFileSync(folder.table1, 'utf8')) as StageTable[];
    expect(table!.stage).toBe('page');
    expect(table!.rows.map(({ arm }) => arm)).toEqual(['teacher', 'base', 'student', 'student-w8a8', 'alias', 'big']);
    const [teacher, base, student, , alias, big] = table!.rows;
    expect(server.requests).toHaveLength(8 + teacher!.total);
    expect(alias).toMatchObject({ measures: base!.measures, candidate: false });
    expect(big).toMatchObject({ rate: 1, diff: 0, candidate: false });
    expect(teacher).toMatchObject({ rate: 1, measures: { topic_accuracy: { mean: 1 }, level_f1: { mean: 1 } } });
    const measured = Object.keys(student!.measures!);
    expect(measured).toEqual(expect.arrayContaining(['valid', 'topic_accuracy', 'topic_f1', 'topic_answered']));
    expect(student!.rate).toBe(0);
    expect(readFileSync(folder.report, 'utf8')).toContain('topic f1');
    expect(existsSync(folder.exported('page'))).toBe(true);
  },
  TIMEOUT_MS,
);
