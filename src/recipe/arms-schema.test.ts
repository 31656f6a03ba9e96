import { expect, test } from 'vitest';
import { parseRecipe } from './load.ts';

const recipe = (arm: string) => `name: x
corpus: {path: a}
teacher: {kind: recorded, folder: b}
students: [{name: s, stages: [pairs]}]
validate:
  arms:
    - teacher
    - ${arm}
`;

test.each([
  ['studnt', /line 8: validate\.arms\.1: invalid option: expected one of "teacher"/],
  [
    '{kind: modle, name: x}',
    /validate\.arms\.1\.kind: invalid discriminator value\. Expected 'model' \| 'run' \| 'server'/,
  ],
  ['{kind: model, name: x}', /validate\.arms\.1\.model: missing \(string\)/],
  ['{kind: model, name: x, model: y, modl: z}', /validate\.arms\.1\.modl: unknown key/],
  ['{kind: server, name: x, model: y, baseUrl: here}', /validate\.arms\.1\.baseUrl: invalid URL/],
  ['{kind: model, name: student, model: y}', /validate\.arms\.1\.name: student already names texts of every run/],
  ['{kind: model, name: source, model: y}', /validate\.arms\.1\.name: source already names/],
  ['teacher', /validate\.arms\.1: a second arm named teacher/],
  ['{kind: model, name: x, model: y, stages: [reformulate]}', /validate\.arms\.1\.stages: reformulate is no job/],
])('validate.arms with %s is refused where it stands', (arm, message) => {
  expect(() => parseRecipe(recipe(arm), 'r.yaml')).toThrow(message);
});

test('validate.arms takes names and sections side by side', () => {
  const { validate } = parseRecipe(recipe('{kind: model, name: q, model: y, generate: {temperature: 0}}'), 'r.yaml');
  expect(validate.arms).toEqual([
    'teacher',
    { kind: 'model', name: 'q', model: 'y', prompt: 'student', generate: { temperature: 0 } },
  ]);
});
