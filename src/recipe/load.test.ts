import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../foundation/errors.ts';
import { runFolder } from '../foundation/run-folder.ts';
import { loadRecipe, parseRecipe } from './load.ts';
import { readResolvedRecipe, writeResolvedRecipe } from './resolved.ts';
import { studentGenerate } from './student-generate.ts';
import { studentTrain } from './student-train.ts';

const MINIMAL = `name: small
corpus:
  path: documents.jsonl
teacher:
  kind: recorded
  folder: teacher
students:
  - name: writer
    stages: [pairs, reformulate]
`;

function failure(text: string, overrides: string[] = []): UserError {
  try {
    parseRecipe(text, 'r.yaml', overrides);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('the recipe was accepted');
}

test('parseRecipe() fills in defaults and freezes at every depth', () => {
  const recipe = parseRecipe(MINIMAL, 'r.yaml');
  expect(recipe.train.lora.rank).toBe(16);
  expect(Object.isFrozen(recipe.train.lora)).toBe(true);
  expect(Object.isFrozen(recipe.students[0]?.stages)).toBe(true);
});

test('parseRecipe() names file, line, path and the nearest key', () => {
  const error = failure(`${MINIMAL}train:\n  lora:\n    rnk: 4\n`);
  expect(error.message).toBe('Cannot use the recipe: r.yaml, line 12: train.lora.rnk: unknown key');
  expect(error.hint).toBe('Did you mean train.lora.rank?');
});

test('parseRecipe() knows the keys of the chosen kind, of list elements and of the top', () => {
  expect(failure(MINIMAL.replace('  folder: teacher', '  folder: t\n  foldr: x')).hint).toBe(
    'Did you mean teacher.folder?',
  );
  expect(failure(MINIMAL.replace('    stages', '    stage: x\n    stages')).hint).toBe(
    'Did you mean students.0.stages?',
  );
  expect(failure(`${MINIMAL}trian: {}\n`).hint).toBe('Did you mean train?');
  expect(failure(`${MINIMAL}zzzzzz: {}\n`).hint).toMatch(/^Known keys: name, description, seed/);
});

test('parseRecipe() lists every problem with its own line', () => {
  const { message } = failure(`${MINIMAL}seed: -1\ntrain:\n  epochs: many\n`);
  expect(message).toContain('r.yaml, line 10: seed: ');
  expect(message).toContain('r.yaml, line 12: train.epochs: invalid input: expected number, received string');
});

test('parseRecipe() says what is missing', () => {
  expect(failure(MINIMAL.replace('  path: documents.jsonl', '  limit: 3')).message).toBe(
    'Cannot use the recipe: r.yaml, line 2: corpus.path: missing (string)',
  );
  expect(failure('').message).toMatch(/^Cannot use the recipe: r.yaml: the recipe: /);
});

test('parseRecipe() gives the line of a YAML error', () => {
  expect(failure(`${MINIMAL}train: {epochs: 1\nseed: 2\n`).message).toMatch(
    /^Cannot read the recipe r.yaml, line 1\d: /,
  );
});

test('parseRecipe() applies overrides as YAML values, also into lists and absent sections', () => {
  const recipe = parseRecipe(MINIMAL, 'r.yaml', [
    'train.lora.rank=4',
    'students.0.name=other',
    'export.onnx=[f32, w8a8]',
    'students.0.train.epochs=3',
  ]);
  expect(recipe.train.lora).toEqual({ rank: 4, alpha: 32 });
  expect(recipe.students[0]?.name).toBe('other');
  expect(recipe.export.onnx).toEqual(['f32', 'w8a8']);
});

test('parseRecipe() blames the override for what it broke', () => {
  expect(failure(MINIMAL, ['train.epochs=no']).message).toContain('--set train.epochs: train.epochs: ');
  expect(failure(MINIMAL, ['train.epoch=1']).hint).toBe('Did you mean train.epochs?');
  expect(failure(MINIMAL, ['name.x=1']).message).toBe('Cannot apply --set name.x=1: name is not a section');
  expect(failure(MINIMAL, ['train']).message).toContain('found no key=value');
});

test('studentTrain() lays the overrides of a student over the section, not over the defaults', () => {
  const recipe = parseRecipe(
    `${MINIMAL}    train: {epochs: 3, lora: {rank: 8}}\ntrain: {learningRate: 5, lora: {alpha: 7}}\n`,
    'r.yaml',
  );
  const settings = studentTrain(recipe, recipe.students[0]!);
  expect(settings).toMatchObject({ epochs: 3, learningRate: 5, lora: { rank: 8, alpha: 7 } });
});

test('studentGenerate() lays the overrides of a student over the section', () => {
  const recipe = parseRecipe(
    `${MINIMAL}    generate: {repetitionPenalty: 1.2}\ngenerate: {temperature: 0.5, repetitionPenalty: 1.1}\n`,
    'r.yaml',
  );
  const settings = studentGenerate(recipe, recipe.students[0]!);
  expect(settings).toMatchObject({ temperature: 0.5, repetitionPenalty: 1.2, topP: 0.9 });
});

test.each([
  [['collect.stages=[pairs]'], 'students.0.stages.1: reformulate is not in collect.stages'],
  [['collect.stages=[pairs, judge]', 'students.0.stages=[pairs]'], 'judge works on the answers of reformulate'],
  [['collect.stages=[pairs, reformulate]', 'collect.judgeTexts=x'], 'judge is not in collect.stages'],
  [['splits.dev=0.5', 'splits.validation=0.5'], 'leave no documents to train on'],
  [['splits.dev=0'], 'dev loss needs a share above 0'],
  [['train.method=full'], 'set precision to f32'],
  [['students.1={name: writer, stages: [judge]}'], 'a second student named writer'],
  [['students.1={name: b, stages: [pairs]}'], 'pairs is already the job of student writer'],
  [['validate.judge.kind=teacher'], 'a recorded teacher cannot judge new texts'],
  [['teacher={kind: openai, model: m, providers: [{name: a}, {name: a, model: n}]}'], 'a second provider named a'],
  [
    ['judge.second={kind: openai, model: m, providers: [{name: a}, {name: b}]}'],
    'judge.second.providers.1.name: the same server, key and model as a',
  ],
  [['validate.judge.cascade={}'], 'validate.judge.cascade: a recorded teacher cannot judge new texts'],
  [
    ['teacher={kind: openai, model: m}', 'validate.judge={kind: teacher, cascade: {below: 0.8}}'],
    'the LLM judges every text already',
  ],
])('parseRecipe() refuses the contradiction %j', (overrides, message) => {
  expect(failure(MINIMAL, overrides).message).toContain(message);
});

test('loadRecipe() finds recipes and data of the package from any folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recipe-'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    writeFileSync('own.yaml', MINIMAL.replace('documents.jsonl', 'package.json'));
    expect(loadRecipe('own.yaml').corpus.path).toMatch(/^\/.*package\.json$/);
    writeFileSync('package.json', '{}');
    expect(loadRecipe('own.yaml').corpus.path).toBe('package.json');
    expect(() => loadRecipe('none.yaml')).toThrow(/Cannot read the recipe none.yaml/);
  } finally {
    process.chdir(before);
  }
});

test('writeResolvedRecipe() and readResolvedRecipe() give the recipe back', () => {
  const folder = runFolder(mkdtempSync(join(tmpdir(), 'run-')));
  const recipe = parseRecipe(MINIMAL, 'r.yaml', ['students.0.train.epochs=3']);
  writeResolvedRecipe(recipe, folder);
  expect(readResolvedRecipe(folder)).toEqual(recipe);
  expect(() => readResolvedRecipe(runFolder('/nowhere'))).toThrow('it holds no recipe.yaml');
});
