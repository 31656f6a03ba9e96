/** Stages of one's own from a recipe to the report, at debug size, against a local server. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readMaterial } from '../src/collect/collected.ts';
import { readSft } from '../src/curate/sft-arrow.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { runPipeline } from '../src/pipeline/run.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { explain } from '../src/store/explain.ts';
import type { StageTable } from '../src/validate/table.ts';
import { KEY_VARIABLE, recordingContext, URL_VARIABLE } from './collect-setup.ts';
import { type ChatBody, startFakeOpenai } from './fake-openai-server.ts';

const TIMEOUT_MS = 600_000;
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
  'topic, level and summary of a page, from collect to report',
  async () => {
    const folder = runFolder(join(root, 'run'));
    // Draws the splits, so that the labeler can be told which documents to spoil.
    const { documents, splits } = await readMaterial(ownRecipe, folder);
    const ids = [...documents.keys()];
    const [lowId, silentId] = [splits.train[0]!, splits.dev[0]!];
    // Every second answer spells its labels in its own way, one of dev has no such topic.
    const spellings = ['{"topic": "nature", "level": 2}', 'Sure:\n```json\n{"level": "3", "topic": "Science"}\n```'];
    const labels = (id: string) =>
      id === splits.dev[1] ? '{"topic": "sport", "level": 1}' : spellings[ids.indexOf(id) % 2]!;
    const summary = (id: string) => `${documents.get(id)!.text.split('. ')[0]!.slice(0, 120)}, the page says.`;
    const rubric = ownRecipe.stages.summary!.judge!.rubric.trim();
    const answer = ({ messages, response_format }: ChatBody): string => {
      const prompt = messages.at(-1)!.content;
      const id = ids.find((one) => prompt.includes(documents.get(one)!.text.slice(0, 200)))!;
      if (response_format?.json_schema.name === 'page') return labels(id);
      if (response_format?.json_schema.name !== 'summary-judge') return summary(id);
      expect(prompt).toContain(`\n\n${rubric}\n\n`);
      if (!prompt.includes(summary(id))) return '{"A": {"analysis": "It says nothing.", "score": 1}}';
      if (id === silentId) return 'I would rather not say.';
      return `{"A": {"analysis": "Read.", "score": ${id === lowId ? 2 : 5}}}`;
    };
    const server = await startFakeOpenai(answer);
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
    const { context } = recordingContext();
    await runPipeline(recipe, folder, context);
    await server.close();

    const asked = (schema: string | undefined) => server.requests.filter((request) => request.schema === schema);
    expect(new Set(server.requests.map(({ key }) => key)).size).toBe(server.requests.length);
    const validated = splits.validation.length;
    // Collected once, and asked again of the server that stands beside the students.
    expect([asked('page').length, asked(undefined).length]).toEqual([8 + validated, 8 + validated]);

    const rows = (['train', 'dev'] as const).flatMap((split) => readSft(folder.sft(1, 'page', split)));
    expect(rows[0]!.prompt[0]!.content).toMatch(/^Document:\n[\s\S]+\n\nWhat is the page about, .* topic and level\.$/);
    const taught = new Set(rows.map(({ completion }) => completion[0]!.content));
    for (const text of taught)
      expect(['{"topic": "nature", "level": 2}', '{"topic": "science", "level": 3}']).toContain(text);

    // Curated by the rubric's score.
    const kept = (split: 'train' | 'dev') => readSft(folder.sft(1, 'summary', split));
    expect(kept('train').map(({ id }) => id)).toEqual(splits.train.slice(1));
    expect(kept('dev').map(({ id }) => id)).toEqual(splits.dev.slice(1));
    expect(kept('train')[0]).toMatchObject({ score: 5, completion: [{ content: summary(splits.train[1]!) }] });
    const low = await explain(folder, lowId);
    expect(low.samples).toContainEqual(
      expect.objectContaining({ stage: 'summary', kept: false, rule: 'score', reason: 'score 2 is below 4' }),
    );
    expect(low.scores).toEqual([{ text_id: lowId, repeat: 1, score: 2, analysis: 'Read.' }]);
    expect((await explain(folder, silentId)).samples).toContainEqual(
      expect.objectContaining({ stage: 'summary', kept: false, rule: 'unscored' }),
    );

    const [page, summaries] = JSON.parse(readFileSync(folder.table1, 'utf8')) as [StageTable, StageTable];
    expect(page.stage).toBe('page');
    expect(page.rows.map(({ arm }) => arm)).toEqual(['teacher', 'base', 'student', 'student-w8a8', 'alias', 'big']);
    const [teacher, base, student, , alias, big] = page.rows;
    expect(alias).toMatchObject({ measures: base!.measures, candidate: false });
    expect(big).toMatchObject({ rate: 1, diff: 0, candidate: false });
    expect(teacher).toMatchObject({ rate: 1, measures: { topic_accuracy: { mean: 1 }, level_f1: { mean: 1 } } });
    const measured = Object.keys(student!.measures!);
    expect(measured).toEqual(expect.arrayContaining(['valid', 'topic_accuracy', 'topic_f1', 'topic_answered']));
    expect(student!.rate).toBe(0);
    // Accuracy by coverage, of arms whose probabilities are known.
    expect(page.rows.map(({ abstention }) => abstention !== undefined)).toEqual([false, true, true, true, true, false]);
    expect(student!.abstention!.topic![0]).toMatchObject({ threshold: 0, answered: 1, accuracy: 0 });
    const text = readFileSync(join(folder.validation, 'table1.md'), 'utf8');
    expect(text).toMatch(/\| If sure of topic \| +base \| +student \| +student-w8a8 \| +alias \|/);

    // Scored by the same rubric: what was judged in collect was not asked again.
    expect(summaries).toMatchObject({ stage: 'summary', judge: { kind: 'teacher' } });
    expect(summaries.judge.description).toContain('by the rubric of stage summary');
    expect(summaries.rows.map(({ arm, rate, counts }) => [arm, rate, counts!['5']])).toEqual([
      ['teacher', 1, validated],
      ['base', 0, 0],
      ['student', 0, 0],
      ['student-w8a8', 0, 0],
      ['alias', 0, 0],
      ['big', 1, validated],
    ]);
    const judged = summaries.rows.slice(1, 4).flatMap(({ total, unscored }) => total - unscored!);
    // Of eight answers in collect; of base (alias writes the same) and both students in validation.
    expect(asked('summary-judge').length).toBeLessThanOrEqual(8 + judged.reduce((sum, count) => sum + count, 0));
    expect(summaries.reliability!.warnings.join()).toContain('The judge also chose the training texts');

    const page1 = readFileSync(folder.report, 'utf8');
    for (const part of [
      'topic f1',
      'Right where sure',
      'Accuracy of topic by share of answers given',
      'rubric of stage summary',
    ])
      expect(page1).toContain(part);
    expect(existsSync(folder.exported('page'))).toBe(true);
  },
  TIMEOUT_MS,
);
