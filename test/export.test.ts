/** `mga export` as a command: which files it writes, what it skips, and what it refuses. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportStudents } from '../src/export/export.ts';
import { writeModelCards } from '../src/export/model-card.ts';
import { isComplete, readManifest, writeManifest } from '../src/foundation/artifact.ts';
import { writeFileAtomic } from '../src/foundation/atomic-file.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { saveAdapter } from '../src/model/adapter-file.ts';
import { loadModel } from '../src/model/load.ts';
import { mergeAdapter } from '../src/model/merge-adapter.ts';
import { saveSmoothing } from '../src/quantize/smoothing-file.ts';
import { scaleAdapter } from '../src/quantize/student-model.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { type AdapterStudent, recipeWith, tinyStudent } from './export-setup.ts';
import './matchers.ts';

let root: string;
let folder: RunFolder;
let student: AdapterStudent;
let home: string;
let events: RunEvent[];
let stop: AbortController;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'export-run-'));
  folder = runFolder(join(root, 'run'));
  student = await tinyStudent(root);
  home = folder.student('writer');
  saveAdapter(join(home, 'adapter.safetensors'), scaleAdapter(student.adapter, student.smoothing!, 'smooth'));
  saveSmoothing(join(home, 'smoothing.safetensors'), student.smoothing!);
  const facts = { base_sha256: student.sha256, dev_loss_before: 3.5, dev_loss: 2.25 };
  writeManifest(home, { kind: 'train', inputs: { rows: 1 }, facts });
  writeManifest(join(home, 'w8a8'), { kind: 'quantize', inputs: { rows: 1 } });
  events = [];
  stop = new AbortController();
});
afterEach(() => rmSync(root, { recursive: true }));

const recipe = (exporting: Partial<Recipe['export']> = {}) =>
  recipeWith({ train: { model: student.modelFolder }, export: exporting });

const run = (sections: Partial<Recipe['export']> = {}) =>
  exportStudents(recipe(sections), folder, { emit: (event) => events.push(event), signal: stop.signal });

const filesOf = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
const json = (...path: string[]) => JSON.parse(readFileSync(join(folder.exported('writer'), ...path), 'utf8'));

test('exportStudents() writes a folder for transformers.js, the adapter for PEFT, and a card', async () => {
  await run({ onnx: ['f32', 'w8a8'] });
  expect(filesOf(folder.exported('writer'))).toEqual([
    'README.md',
    'config.json',
    'generation_config.json',
    'manifest.json',
    'onnx',
    'onnx/model.onnx',
    'onnx/model_quantized.onnx',
    'peft',
    'peft/adapter_config.json',
    'peft/adapter_model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  expect(json('config.json')).toMatchObject({ model_type: 'llama', 'transformers.js_config': { dtype: 'q8' } });
  expect(json('generation_config.json')).toMatchObject({ eos_token_id: 258, do_sample: true, temperature: 0.7 });
  expect(json('tokenizer_config.json')).toMatchObject({ padding_side: 'left', pad_token: '<|pad|>' });
  expect(json('peft', 'adapter_config.json')).toMatchObject({ base_model_name_or_path: student.modelFolder });
  expect(events.map(({ type }) => type)).toEqual([
    'command-start',
    'command-progress',
    'command-progress',
    'command-progress',
    'command-end',
  ]);
});

test('exportStudents() skips a complete student, and writes it again when the recipe asks for other files', async () => {
  await run();
  const { mtimeMs } = statSync(join(folder.exported('writer'), 'onnx', 'model_quantized.onnx'));
  events = [];
  await run();
  expect(events).toEqual([{ type: 'command-skip', command: 'export', reason: 'writer is exported' }]);
  expect(statSync(join(folder.exported('writer'), 'onnx', 'model_quantized.onnx')).mtimeMs).toBe(mtimeMs);
  await run({ onnx: ['f32'], peft: false });
  expect(filesOf(join(folder.exported('writer'), 'onnx'))).toEqual(['model.onnx']);
  expect(existsSync(join(folder.exported('writer'), 'peft'))).toBe(false);
  expect(json('config.json')['transformers.js_config']).toEqual({ dtype: 'fp32' });
});

test('exportStudents() writes again what was trained again', async () => {
  await run();
  const before = readManifest(folder.exported('writer'))!;
  writeManifest(home, { kind: 'train', inputs: { rows: 2 } });
  await run();
  expect(isComplete(folder.exported('writer'), before.inputs)).toBe(false);
});

test('exportStudents() writes folders for Python where asked', async () => {
  await run({ onnx: [], peft: false, safetensors: ['f32', 'w8a8'] });
  expect(json('config.json')['transformers.js_config']).toBeUndefined();
  const small = [
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ];
  for (const name of ['safetensors', 'compressed-tensors']) {
    expect(filesOf(join(folder.exported('writer'), name))).toEqual(small);
  }
  // The merged folder is a model of ours too.
  const { tensors } = loadModel(join(folder.exported('writer'), 'safetensors'));
  const merged = mergeAdapter(student.weights, student.adapter).tensors;
  const name = 'model.layers.1.mlp.gate_proj.weight';
  expect(tensors.get(name)).toBeNearTensor(merged.get(name)!, 1e-6);
  expect(json('compressed-tensors', 'config.json').quantization_config.quantization_status).toBe('compressed');
});

test('exportStudents() stops between files and does not take the rest for complete', async () => {
  const emit = (event: RunEvent) => {
    if (event.type === 'command-progress') stop.abort();
  };
  const interrupted = exportStudents(recipe({ onnx: ['f32', 'w8a8'] }), folder, { emit, signal: stop.signal });
  await expect(interrupted).rejects.toThrow('Stopped on request');
  expect(filesOf(join(folder.exported('writer'), 'onnx'))).toEqual(['model.onnx']);
  expect(readManifest(folder.exported('writer'))).toBeUndefined();
});

test('exportStudents() refuses a student that is not trained, and w8a8 of one that is not quantized', async () => {
  rmSync(join(home, 'manifest.json'));
  await expect(run()).rejects.toThrow('Cannot load student writer');
  writeManifest(home, { kind: 'train', inputs: {} });
  rmSync(join(home, 'smoothing.safetensors'));
  const plain = recipeWith({ train: { model: student.modelFolder, precision: 'f32' } });
  const refused = exportStudents(plain, folder, { emit: () => {}, signal: stop.signal });
  await expect(refused).rejects.toThrow('Cannot quantize student writer: it is not calibrated');
});

test('writeModelCards() says what the student is, and adds Table 1 once there is one', async () => {
  await run();
  const card = () => readFileSync(join(folder.exported('writer'), 'README.md'), 'utf8');
  expect(card()).toContain('# writer');
  expect(card()).toContain('3.500 before, 2.250 after training');
  expect(card()).toContain(student.sha256);
  expect(card()).toContain('Not validated yet');
  writeFileAtomic(join(folder.validation, 'table1.md'), '## Table 1, stage reformulate: 8 inputs\n');
  writeModelCards(recipe(), folder);
  expect(card()).toContain('## Table 1, stage reformulate: 8 inputs');
  expect(card()).not.toContain('Not validated yet');
});
