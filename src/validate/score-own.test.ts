import { expect, test } from 'vitest';
import { recipeSchema } from '../recipe/schema.ts';
import { learntStages } from '../stage/recipe-stages.ts';
import type { GenerationLine } from './generations.ts';
import { labelConfidence } from './label-confidence.ts';
import { renderTables } from './render.ts';
import { ownTable } from './score-own.ts';

const recipe = recipeSchema.parse({
  name: 'r',
  corpus: { path: 'x' },
  teacher: { kind: 'recorded', folder: 'x' },
  collect: { stages: ['page'] },
  stages: {
    page: {
      kind: 'label',
      prompt: 'Topic and level?',
      response: {
        type: 'object',
        properties: { topic: { enum: ['a', 'b'] }, level: { type: 'integer', minimum: 1, maximum: 3 } },
      },
      metrics: ['accuracy', 'f1', 'distance'],
      abstain: { below: 0.5 },
    },
  },
  students: [{ name: 'page', stages: ['page'] }],
});
const stage = learntStages(recipe)[0]!;

test('ownTable() counts equal answers, fields, what is far off and what is left open', () => {
  const teacher = new Map(['d1', 'd2', 'd3', 'd4'].map((id, i) => [id, { topic: i < 2 ? 'a' : 'b', level: 2 }]));
  const outputs: [string, Record<string, number>][] = [
    ['{"topic": "a", "level": 2}', { topic: 0.9, level: 0.9 }],
    ['{"topic": "b", "level": 2}', { topic: 0.4, level: 0.9 }],
    ['{"topic": "b", "level": 3}', { topic: 0.8, level: 0.9 }],
    ['nothing', {}],
  ];
  const lines = outputs.map(
    ([text, confidence], i): GenerationLine => ({
      arm: 'student',
      model: 'm',
      stage: 'page',
      doc_id: `d${i + 1}`,
      item: `d${i + 1}`,
      text,
      confidence,
      complete: true,
      tokens: 1,
      seconds: 0,
      made_from: '',
    }),
  );
  const { table, items } = ownTable(stage, lines, teacher, { margin: 3, resamples: 200, seed: 1 });
  const [row] = table.rows;
  expect(row!.rate).toBe(0.25);
  const means = Object.fromEntries(Object.entries(row!.measures!).map(([name, { mean }]) => [name, mean]));
  expect(means).toMatchObject({ valid: 0.75, topic_accuracy: 0.5, level_accuracy: 0.5 });
  expect(means.level_distance).toBeCloseTo(1 / 3, 12);
  // scikit-learn: f1_score(['a','a','b','b'], ['a','b','b','none'], labels=['a','b'], average='macro').
  expect(means.topic_f1).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12);
  expect(means).toMatchObject({ topic_answered: 0.5, topic_accuracy_if_answered: 1 });
  // Sure of topic, and right: 0.9 yes, 0.8 yes, 0.4 no; the answer that cannot be read is sure of nothing.
  const points = row!.abstention!.topic!.map(({ threshold, answered, accuracy }) => [threshold, answered, accuracy]);
  expect(points).toEqual([
    [0, 1, 0.5],
    [0.4, 0.75, 2 / 3],
    [0.5, 0.5, 1],
    [0.6, 0.5, 1],
    [0.7, 0.5, 1],
    [0.8, 0.5, 1],
    [0.9, 0.25, 1],
  ]);
  const text = renderTables([table], 'text');
  expect(text).toMatch(/If sure of topic +student\nall +100% +50%\n>= 0\.5 +50% +100%\n/);
  expect(text).toMatch(/\n>= 0\.9 +25% +100%\n\nIf sure of level /);
  expect(items.map(({ reason }) => reason)).toEqual([
    undefined,
    "another answer than the teacher's",
    "another answer than the teacher's",
    'no complete JSON object in the response',
  ]);
});

test('labelConfidence() multiplies the tokens that hold the value, and no others', () => {
  const pieces: [string, number][] = [
    ['{"topic": ', 0.1],
    ['"sci', 0.5],
    ['ence"', 0.8],
    [', "level": ', 0.1],
    ['3', 0.9],
    ['}', 0.1],
  ];
  const upTo = (count: number) =>
    pieces
      .slice(0, count)
      .map(([text]) => text)
      .join('');
  const tokens = pieces.map(([, p], i) => ({ end: upTo(i + 1).length, logprob: Math.log(p) }));
  const response = upTo(pieces.length);
  const field = (name: string) => ({ name, values: ['x', 'y'], ordered: false });
  const found = labelConfidence(response, [field('topic'), field('level'), field('other')], tokens);
  expect(found.topic).toBeCloseTo(0.4, 12);
  expect(found.level).toBeCloseTo(0.9, 12);
  expect(Object.keys(found)).toEqual(['topic', 'level']);
});
