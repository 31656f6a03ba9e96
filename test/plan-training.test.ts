/** The part of `mga plan` about students: what training takes before and after there are rows, and the measured speed of answers. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { renderPlan } from '../src/cli/plan/render-plan.ts';
import { planRun } from '../src/cli/run-plan.ts';
import { collect } from '../src/collect/collect.ts';
import { curate } from '../src/curate/curate.ts';
import { toHubConfig } from '../src/model/hub-config.ts';
import { writeTinyModel } from '../src/model/tiny.ts';
import { studentSpeed } from '../src/price/student-speed.ts';
import { loadRecipe } from '../src/recipe/load.ts';
import { trainStudents } from '../src/train/train-students.ts';
import { recordingContext, temporaryRun } from './collect-setup.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A worker thread with a model in it, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 300_000;

function run(...overrides: string[]) {
  const { folder, done } = temporaryRun();
  cleanups.push(done);
  return { recipe: loadRecipe('recipes/debug.yaml', ['train.threads=1', 'train.maxSteps=3', ...overrides]), folder };
}

test(
  'before there are rows, stand-ins of the recipe tell steps and memory; --measure tells time, and is kept',
  async () => {
    const { recipe, folder } = run();
    const { students } = await planRun(recipe, folder);
    expect(students.map(({ size, standIn }) => [size!.samples, size!.steps, standIn])).toEqual([
      [4, 2, true],
      [20, 3, true],
    ]);
    expect(students[1]!.size!.tokens).toBeGreaterThan(students[0]!.size!.tokens);
    expect(students[1]!.memory).toMatchObject({ fits: true });
    expect(students[1]!.seconds).toBeUndefined();
    expect(existsSync(join(folder.root, 'students'))).toBe(false);

    const measured = await planRun(recipe, folder, { measure: true });
    const later = await planRun(recipe, folder);
    expect(later.students).toEqual(measured.students);
    const [pairs, reformulate] = later.students;
    expect(pairs!.seconds).toBeGreaterThan(0);
    // One model, one speed: the second student was not measured again.
    expect(reformulate!.tokensPerSecond).toBe(pairs!.tokensPerSecond);
    expect(Object.keys(JSON.parse(readFileSync(join(folder.root, 'speed.json'), 'utf8')))).toHaveLength(1);
    expect(renderPlan(later)).toMatch(/time: about .* at [\d,.]+ tokens\/(s|min) \(measured \d{4}-\d\d-\d\d\)/);
  },
  TIMEOUT_MS,
);

test('what cannot fit is said with what would, and nothing is measured', async () => {
  const { recipe, folder } = run('train.memory=0.1');
  const plan = await planRun(recipe, folder, { measure: true });
  for (const { memory } of plan.students) {
    expect(memory).toMatchObject({ fits: false, message: expect.stringContaining('in 0.10 GB') });
  }
  expect(renderPlan(plan)).toMatch(/does not fit: Cannot train pairs in 0.10 GB.*\n +Give it train.memory 0\.\d+/);
  expect(existsSync(join(folder.root, 'speed.json'))).toBe(false);
});

test('weights that are not here are not fetched', async () => {
  const { recipe, folder } = run('train.model=nobody/no-such-model');
  const { students } = await planRun(recipe, folder);
  expect(students[0]!.unknown).toBe('its weights are not here yet; mga doctor fetches them');
});

test(
  'of a model whose sizes alone are known, memory is planned by them and time measured with random weights',
  async () => {
    const { folder: scratch, done } = temporaryRun();
    cleanups.push(done);
    const bare = join(scratch.root, 'bare');
    const model = join(scratch.root, 'whole');
    const config = { ...writeTinyModel(model), layers: 5 };
    mkdirSync(bare, { recursive: true });
    writeFileSync(join(bare, 'config.json'), JSON.stringify(toHubConfig(config)));
    const { recipe, folder } = run(`train.model=${bare}`);
    const unmeasured = await planRun(recipe, folder);
    expect(unmeasured.students[1]).toMatchObject({ bySizes: true, memory: { fits: true, keptLayers: 5 } });
    expect(unmeasured.students[1]!.seconds).toBeUndefined();
    expect(renderPlan(unmeasured)).toContain('its weights are not here: memory and time go by its sizes');

    const measured = await planRun(recipe, folder, { measure: true });
    expect(measured.students[1]!.seconds).toBeGreaterThan(0);
    expect(renderPlan(measured)).toMatch(
      /time: about .* tokens\/(s|min) \(measured [\d-]+ on random weights of 2 of 5 layers and the head, counted for all layers\)/,
    );
    expect((await planRun(recipe, folder)).students).toEqual(measured.students);
  },
  TIMEOUT_MS,
);

test('a known name tells the sizes, so that the paper can be planned without its weights', async () => {
  const { recipe, folder } = run('train.model=qwen3-1.7b', 'train.memory=64', 'train.maxTokens=8192');
  const { students } = await planRun(recipe, folder);
  expect(students[0]).toMatchObject({ bySizes: true, memory: { fits: true } });
  // Weights in int8 and the table of tokens in f32 alone are 4 GB.
  expect((students[0]!.memory as { bytes: number }).bytes).toBeGreaterThan(4e9);
});

test(
  'curated rows take the place of stand-ins, and a trained student of its plan',
  async () => {
    const { recipe, folder } = run();
    const { context } = recordingContext();
    await collect(recipe, folder, context);
    await curate(recipe, folder, context);
    const { students } = await planRun(recipe, folder);
    expect(students.map(({ standIn }) => standIn)).toEqual([false, false]);
    await trainStudents({ ...recipe, students: recipe.students.slice(0, 1) }, folder, context);
    const [pairs, reformulate] = (await planRun(recipe, folder)).students;
    expect(pairs!.trainedSeconds).toBeGreaterThan(0);
    expect(reformulate).toMatchObject({ speedFrom: 'as pairs was trained' });
    expect(reformulate!.seconds).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test('the speed of answers comes from validation: the deployed form, sequences side by side', () => {
  const { recipe, folder } = run('generate.batch=2');
  expect(studentSpeed(recipe, folder)).toBeUndefined();
  mkdirSync(folder.validation, { recursive: true });
  const line = (arm: string, stage: string, seconds: number) => JSON.stringify({ arm, stage, seconds, tokens: 100 });
  const student = ['pairs', 'reformulate'].map((stage) => line('student', stage, 50));
  const deployed = [line('student-w8a8', 'pairs', 4), ...[6, 6, 6].map((s) => line('student-w8a8', 'reformulate', s))];
  writeFileSync(join(folder.validation, 'generations.jsonl'), [...student, ...deployed, '{"arm": "stud'].join('\n'));
  // One pairs answer alone: 4 s. Three reformulations two at a time: 3 s each, five a document.
  expect(studentSpeed(recipe, folder)).toEqual({
    arm: 'student-w8a8',
    secondsPerDocument: 4 + 5 * 3,
    stages: [
      { stage: 'pairs', outputs: 1, secondsPerAnswer: 4, tokensPerSecond: 25 },
      { stage: 'reformulate', outputs: 3, secondsPerAnswer: 3, tokensPerSecond: 300 / 9 },
    ],
  });
});
