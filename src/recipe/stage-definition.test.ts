import { expect, test } from 'vitest';
import { UserError } from '../foundation/errors.ts';
import { parseRecipe } from './load.ts';

const recipe = (page: string, name = 'page') => `name: r
corpus: {path: x.jsonl}
teacher: {kind: openai, model: m}
collect: {stages: [${name}]}
stages:
  ${name}: ${page}
students:
  - {name: page, stages: [${name}]}
`;
const GOOD = '{kind: label, prompt: P, response: {type: object, properties: {topic: {enum: [a, b]}}}}';

test('parseRecipe() takes a stage of one’s own', () => {
  expect(parseRecipe(recipe(GOOD), 'r.yaml').stages.page).toMatchObject({ kind: 'label', maxTokens: 400 });
});

test.each([
  [GOOD, 'pairs', 'stages.pairs: pairs is a stage of the toolkit'],
  [GOOD.replace('prompt: P', 'prompt: "{{document}}"'), 'page', 'stages.page.prompt: {{document}} is not needed'],
  [GOOD.replace('prompt: P', 'prompt: "{{author}}"'), 'page', 'stages.page.prompt: there is no {{author}}'],
  ['{kind: label, prompt: P}', 'page', 'stages.page.response: missing: a label stage'],
  [GOOD.replace('type: object', 'type: objekt'), 'page', 'stages.page.response.type: '],
  [GOOD.replace('enum:', 'enumm:'), 'page', 'unknown keyword: "enumm"'],
  [GOOD.replace('{enum: [a, b]}', '{type: string}'), 'page', 'stages.page.response.properties.topic: a label has 2'],
  [GOOD.replace('prompt: P', 'prompt: P, judge: {rubric: R}'), 'page', 'stages.page.judge: labels are held against'],
  [
    '{kind: text, prompt: P, judge: {rubric: R}}\n  page-judge: {kind: text, prompt: P}',
    'page',
    'stages.page.judge: its judgements are named page-judge',
  ],
  [GOOD.replace('kind: label', 'kind: label, metrics: [distance]'), 'page', 'stages.page.metrics.0: distance needs'],
])('parseRecipe() says where a stage is wrong: %s as %s', (page, name, message) => {
  const parse = () => parseRecipe(recipe(page, name), 'r.yaml');
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(message);
  expect(parse).toThrow(/line \d/);
});
