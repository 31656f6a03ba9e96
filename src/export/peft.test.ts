import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { engineLogits, tinyStudent } from '../../test/export-setup.ts';
import { LINEAR_NAMES, type ModelWeights } from '../model/config.ts';
import { f32Model } from '../model/runtime-model.ts';
import { readSafetensors, readSafetensorsHeader } from '../model/safetensors.ts';
import { f32Student, scaleAdapter, w8a8Student } from '../quantize/student-model.ts';
import { writePeft } from './peft.ts';
import '../../test/matchers.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'peft-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const BASE = { name: 'owner/base', sha256: 'ab'.repeat(32) };
const TOKENS = Array.from({ length: 24 }, (_, i) => (i * i * 5 + 40) % 256);

/** W + (alpha / r) B A of the files alone, by PEFT's own names. */
function withPeft(weights: ModelWeights, folder: string): ModelWeights {
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'));
  const adapter = readSafetensors(join(folder, 'adapter_model.safetensors'));
  const tensors = new Map(weights.tensors);
  for (const [name, { shape, data }] of weights.tensors) {
    const module = `base_model.model.${name.replace(/\.weight$/, '')}`;
    const a = adapter.get(`${module}.lora_A.weight`);
    const b = adapter.get(`${module}.lora_B.weight`);
    if (!a || !b || !config.target_modules.includes(module.split('.').at(-1))) continue;
    const [outputs, inputs] = shape as [number, number];
    expect([a.shape, b.shape]).toEqual([
      [config.r, inputs],
      [outputs, config.r],
    ]);
    const merged = data.map((w, at) => {
      const [output, input] = [Math.floor(at / inputs), at % inputs];
      let sum = 0;
      for (let k = 0; k < config.r; k++) sum += b.data[output * config.r + k]! * a.data[k * inputs + input]!;
      return w + (config.lora_alpha / config.r) * sum;
    });
    tensors.set(name, { shape, data: merged });
    adapter.delete(`${module}.lora_A.weight`);
    adapter.delete(`${module}.lora_B.weight`);
  }
  expect([...adapter.keys()]).toEqual([]);
  return { ...weights, tensors };
}

test("writePeft() with PEFT's formula gives the engine's logits", async () => {
  const student = await tinyStudent(root);
  writePeft(root, student.weights.config, student.adapter, BASE);
  const logits = await engineLogits({ model: f32Model(withPeft(student.weights, root)) }, TOKENS);
  const expected = await engineLogits(f32Student(student), TOKENS);
  const shape = [expected.length];
  expect({ shape, data: logits }).toBeNearTensor({ shape, data: expected }, 1e-5);
  const base = await engineLogits({ model: f32Model(student.weights) }, TOKENS);
  expect({ shape, data: base }).not.toBeNearTensor({ shape, data: expected }, 0.1);
});

test('writePeft() of an adapter trained beside the smoothed base belongs to the base as it is', async () => {
  const student = await tinyStudent(root);
  // What training through the int8 base holds, and what loading makes of it.
  const trained = scaleAdapter(student.adapter, student.smoothing!, 'smooth');
  expect(trained.layers[0]!['qkv.A']!.data).not.toEqual(student.adapter.layers[0]!['qkv.A']!.data);
  const adapter = scaleAdapter(trained, student.smoothing!, 'unsmooth');
  writePeft(root, student.weights.config, adapter, BASE);
  const logits = await engineLogits({ model: f32Model(withPeft(student.weights, root)) }, TOKENS);
  const expected = await engineLogits(w8a8Student(student, 'beside'), TOKENS);
  const shape = [expected.length];
  // The int8 base differs from the f32 one by its rounding alone.
  expect({ shape, data: logits }).toBeNearTensor({ shape, data: expected }, 0.1);
});

test('writePeft() names the base and its hash', async () => {
  const student = await tinyStudent(root);
  writePeft(root, student.weights.config, student.adapter, BASE);
  const config = JSON.parse(readFileSync(join(root, 'adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({ peft_type: 'LORA', task_type: 'CAUSAL_LM', base_model_name_or_path: BASE.name });
  expect([...config.target_modules].sort()).toEqual(
    Object.values(LINEAR_NAMES)
      .map((n) => n.split('.')[1])
      .sort(),
  );
  const { metadata } = readSafetensorsHeader(join(root, 'adapter_model.safetensors'));
  expect(metadata).toEqual({ format: 'pt', base_model: BASE.name, base_sha256: BASE.sha256 });
});
