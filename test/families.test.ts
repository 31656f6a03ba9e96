/** What runs a model does so for every family: generation, smoothing, the int8 grid, merging, and exports. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AutoModelForCausalLM, env } from '@huggingface/transformers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transformersJsConfig, writeHubFiles } from '../src/export/hub-files.ts';
import { decoderModel } from '../src/export/onnx-decoder.ts';
import { writeCompressedFolder } from '../src/export/safetensors-folder.ts';
import { writeOnnx } from '../src/export/write-onnx.ts';
import { generate } from '../src/generate/generate.ts';
import type { Tensor } from '../src/graph/value.ts';
import { FAMILY_NAMES } from '../src/model/families/families.ts';
import { layerNorms } from '../src/model/hub-weights.ts';
import { mergeAdapter } from '../src/model/merge-adapter.ts';
import { f32Model } from '../src/model/runtime-model.ts';
import { readSafetensors } from '../src/model/safetensors.ts';
import { encodeModel } from '../src/onnx/model-proto.ts';
import { createSession } from '../src/onnx/session.ts';
import { type AdaptedModel, f32Student, w8a8Student } from '../src/quantize/student-model.ts';
import { type AdapterStudent, engineLogits, greedyGaps, recipeWith, tinyStudent } from './export-setup.ts';
import { gridModel, plainLosses } from './plain-decoder.ts';
import { tinyFamily } from './tiny-families.ts';
import { adapterInFloat64, drawTokens } from './tiny-models.ts';
import './matchers.ts';

const NEW_TOKENS = 12;
const TOKENS = drawTokens(30, 'families');
const { generate: GENERATION } = recipeWith({ generate: { temperature: 0, maxTokens: NEW_TOKENS } });
const root = mkdtempSync(join(tmpdir(), 'families-'));
afterAll(() => rmSync(root, { recursive: true }));

const i64 = (values: readonly number[], ...shape: number[]): Tensor => ({
  dtype: 'int64',
  shape,
  data: BigInt64Array.from(values.map(BigInt)),
});

/** Logits `[tokens, vocabulary]` of the exported decoder: `first` tokens at once, the others one by one. */
async function exportedLogits(model: AdaptedModel, tokens: readonly number[], first: number): Promise<Float32Array> {
  const session = await createSession(encodeModel(decoderModel(model)));
  const { layers, kvHeads, headDim } = model.model.config;
  let cache: Record<string, Tensor> = {};
  const rows: number[] = [];
  for (let from = 0, to = first; from < tokens.length; from = to, to++) {
    const past = Array.from({ length: layers }, (_, layer) =>
      ['key', 'value'].map((kind) => `${layer}.${kind}`),
    ).flat();
    const empty = { dtype: 'float32', shape: [1, kvHeads, 0, headDim], data: new Float32Array(0) } as const;
    cache = await session.run({
      input_ids: i64(tokens.slice(from, to), 1, to - from),
      attention_mask: i64(new Array<number>(to).fill(1), 1, to),
      num_logits_to_keep: i64([0]),
      ...Object.fromEntries(past.map((name) => [`past_key_values.${name}`, cache[`present.${name}`] ?? empty])),
    });
    rows.push(...(cache.logits!.data as Float32Array));
  }
  await session.release();
  return Float32Array.from(rows);
}

describe.each(FAMILY_NAMES.filter((name) => name !== 'llama'))('a student of %s', (family) => {
  let student: AdapterStudent;
  beforeAll(async () => {
    student = await tinyStudent(join(root, family), tinyFamily(family));
  });
  const shaped = (data: Float32Array) => {
    const { vocabSize } = student.weights.config;
    return { shape: [data.length / vocabSize, vocabSize], data };
  };

  it.each(['f32', 'w8a8'] as const)(
    'exports what the engine computes, in one pass and token by token (%s)',
    async (precision) => {
      const model = precision === 'f32' ? f32Student(student) : w8a8Student(student, 'beside');
      const expected = shaped(await engineLogits(model, TOKENS));
      const tolerance = precision === 'f32' ? 1e-4 : 0.05;
      expect(shaped(await exportedLogits(model, TOKENS, TOKENS.length))).toBeNearTensor(expected, tolerance);
      expect(shaped(await exportedLogits(model, TOKENS, 5))).toBeNearTensor(expected, tolerance);
    },
  );

  it('generates what is likeliest in one pass', async () => {
    const model = f32Student(student);
    const request = { id: 'a', prompt: TOKENS, seed: 'a' };
    const { eosTokenIds } = student.weights.config;
    const context = { emit: () => {}, signal: new AbortController().signal, eosTokenIds };
    for await (const { tokens } of generate(model, [request], { ...GENERATION, repetitionPenalty: 1 }, context)) {
      expect(tokens.length).toBeGreaterThan(0);
      const gaps = await greedyGaps(model, [...TOKENS, ...tokens], TOKENS.length);
      expect(Math.max(...gaps)).toBeLessThan(1e-3);
    }
  });

  it('computes on the int8 grid what the plain decoder does', async () => {
    const { weights, smoothing } = student;
    const model = w8a8Student(student, 'beside');
    const { layers, rank, scale } = model.adapter!;
    const plain = gridModel(weights, smoothing!, { layers: adapterInFloat64(layers), rank, scale });
    const expected = plainLosses(plain, { tokens: TOKENS, labelsFrom: 20 });
    const { vocabSize } = weights.config;
    const logits = await engineLogits(model, TOKENS);
    for (const [i, loss] of expected.entries()) {
      const row = logits.subarray((19 + i) * vocabSize, (20 + i) * vocabSize);
      const total = row.reduce((sum, z) => sum + Math.exp(z), 0);
      // A last bit can become a step of a code.
      expect(Math.abs(Math.log(total) - row[TOKENS[20 + i]!]! - loss)).toBeLessThan(0.02);
    }
  });

  it('merges to the same logits', async () => {
    const merged = { model: f32Model(mergeAdapter(student.weights, student.adapter)) };
    const beside = shaped(await engineLogits(f32Student(student), TOKENS));
    expect(shaped(await engineLogits(merged, TOKENS))).toBeNearTensor(beside, 1e-4);
  });

  it('stores compressed norms as the hub does', () => {
    const folder = join(root, family, 'compressed');
    writeCompressedFolder(folder, student, GENERATION);
    const { norm1: _1, norm2: _2, ...others } = layerNorms(student.weights.config);
    // The two left out are smoothed.
    const names = ['model.norm.weight', ...Object.values(others).map(({ name }) => `model.layers.1.${name}.weight`)];
    for (const [name, tensor] of readSafetensors(join(folder, 'model.safetensors'), names))
      expect(tensor).toBeNearTensor(student.weights.tensors.get(name)!, 1e-6);
  });

  it('runs in transformers.js', async () => {
    const folder = join(root, family, 'export');
    const model = f32Student(student);
    writeOnnx(join(folder, 'onnx', 'model.onnx'), decoderModel(model));
    writeHubFiles(folder, student.modelFolder, GENERATION, transformersJsConfig('fp32', {}));
    Object.assign(env, { allowRemoteModels: false });
    const loaded = await AutoModelForCausalLM.from_pretrained(folder, { local_files_only: true, dtype: 'fp32' });
    const { Tensor: JsTensor } = await import('@huggingface/transformers');
    const ids = new JsTensor('int64', BigInt64Array.from(TOKENS.map(BigInt)), [1, TOKENS.length]);
    const ones = new JsTensor('int64', new BigInt64Array(TOKENS.length).fill(1n), [1, TOKENS.length]);
    const output = (await loaded.generate({
      inputs: ids,
      attention_mask: ones,
      max_new_tokens: NEW_TOKENS,
      do_sample: false,
      repetition_penalty: 1,
    } as never)) as { tolist(): bigint[][] };
    const tokens = output.tolist()[0]!.map(Number);
    expect(tokens.slice(0, TOKENS.length)).toEqual(TOKENS);
    expect(Math.max(...(await greedyGaps(model, tokens, TOKENS.length)))).toBeLessThan(1e-3);
    await loaded.dispose();
  });
});
