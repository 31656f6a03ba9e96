/** A student whose weights were all trained, through every command behind training. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSft } from '../src/curate/sft-arrow.ts';
import { exportStudents } from '../src/export/export.ts';
import { readManifest } from '../src/foundation/artifact.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { loadModel } from '../src/model/load.ts';
import { quantizeStudents } from '../src/quantize/quantize.ts';
import { f32Student, loadStudent, w8a8Student } from '../src/quantize/student-model.ts';
import { reformulateStage } from '../src/stage/reformulate.ts';
import type { AnyStage } from '../src/stage/stage.ts';
import { trainStudents } from '../src/train/train-students.ts';
import { generateArm } from '../src/validate/generate-arm.ts';
import { checkArm } from '../src/validate/open-arm.ts';
import type { TableArm } from '../src/validate/table-arm.ts';
import { tableArms } from '../src/validate/table-arms.ts';
import { largestDistance } from './engine-logits.ts';
import { engineLogits, recipeWith } from './export-setup.ts';
import { sftRows, trainingFolder, watching } from './train-setup.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));
const folder = runFolder(join(root, 'run'));
const recipe = recipeWith({
  train: {
    model: base,
    method: 'full',
    precision: 'f32',
    learningRate: 5e-4,
    maxSteps: 4,
    samplesPerStep: 2,
    threads: 1,
  },
  generate: { maxTokens: 4 },
  export: { onnx: ['f32', 'w8a8'], safetensors: ['f32', 'w8a8'] },
});
const { context } = watching();
const TOKENS = [...Buffer.from('Bees dance to show the others')];

beforeAll(async () => {
  writeSft(folder.sft(1, 'reformulate', 'train'), sftRows(3));
  writeSft(folder.sft(1, 'reformulate', 'dev'), sftRows(1, 3));
  await trainStudents(recipe, folder, context);
  await quantizeStudents(recipe, folder, context);
});

test('mga quantize calibrates it, and finds one form on the grid: there is no adapter to stand beside', () => {
  const { dev_loss } = readManifest(folder.student('writer'))!.facts!;
  const facts = readManifest(join(folder.student('writer'), 'w8a8'))!.facts!;
  expect(facts.w8a8_beside).toBeNull();
  expect(Math.abs(Number(facts.f32) - Number(dev_loss))).toBeLessThan(1e-4);
  expect(Math.abs(Number(facts.w8a8_merged) - Number(dev_loss))).toBeLessThan(0.05);
});

test('mga export writes its own weights, and no adapter', async () => {
  await exportStudents(recipe, folder, context);
  const out = folder.exported('writer');
  expect(readdirSync(out).sort()).toEqual([
    'README.md',
    'compressed-tensors',
    'config.json',
    'generation_config.json',
    'manifest.json',
    'onnx',
    'safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const own = loadModel(folder.student('writer'), loadModel(base).config);
  expect(loadModel(join(out, 'safetensors')).tensors).toEqual(own.tensors);
  const card = readFileSync(join(out, 'README.md'), 'utf8');
  expect(card).toContain('| Training | all weights, precision f32 |');
  expect(card).not.toMatch(/adapter|LoRA|PEFT/);
});

test('validation generates with its own weights, in f32 and on the grid', async () => {
  const student = await loadStudent(recipe, folder, 'writer', context);
  const logits = await engineLogits(f32Student(student), TOKENS);
  const untrained = await engineLogits(f32Student({ weights: loadModel(base), adapter: undefined }), TOKENS);
  expect(largestDistance(logits, untrained)).toBeGreaterThan(0.1);
  const rounded = await engineLogits(w8a8Student(student, 'beside'), TOKENS);
  expect(largestDistance(rounded, logits)).toBeLessThan(0.5);

  const arms = await tableArms(
    reformulateStage as AnyStage,
    { recipe: { ...recipe, validate: { ...recipe.validate, arms: ['student', 'student-w8a8'] } }, folder },
    'teacher',
    context,
  );
  const answers = async (arm: TableArm) => {
    await checkArm(arm, recipe, context);
    const prompts = [{ item: 'd0/1', docId: 'd0', messages: sftRows(1)[0]!.prompt }];
    const task = { ...arm, recipe, folder, stage: reformulateStage as AnyStage, prompts };
    const found = [];
    for await (const { item, tokens } of generateArm(task, context)) found.push({ item, tokens });
    return found;
  };
  for (const arm of arms) {
    expect(await answers(arm)).toEqual([{ item: 'd0/1', tokens: expect.any(Number) }]);
  }
});
