import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '../foundation/hash.ts';
import type { ModelWeights } from './config.ts';
import { openGguf, readGgufTensor } from './gguf.ts';
import { convertGguf, unpermuteRotary } from './gguf-convert.ts';
import { dequantize } from './gguf-dequantize.ts';
import { loadModel } from './load.ts';

const TINY = 'test/golden/model/tiny.gguf';
const golden = JSON.parse(readFileSync('test/golden/model/gguf.json', 'utf8')) as {
  sha256: string;
  stored: Record<string, { type: string; shape: number[]; first: number[]; sum: number }>;
  hub: Record<string, number[]>;
};

const folder = mkdtempSync(join(tmpdir(), 'mga-gguf-'));
let model: ModelWeights;
beforeAll(async () => {
  await convertGguf(TINY, folder);
  model = loadModel(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the golden file belongs to the GGUF', () => {
  expect(sha256(readFileSync(TINY))).toBe(golden.sha256);
});

test.each(Object.entries(golden.stored))('readGgufTensor() decodes %s as gguf-py does', async (name, stored) => {
  const file = await openGguf(TINY);
  expect(file.tensors.get(name)!.shape).toEqual(stored.shape);
  const data = readGgufTensor(file, name);
  expect([...data.subarray(0, stored.first.length)]).toEqual(stored.first.map(Math.fround));
  expect(data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(stored.sum, 9);
});

test('convertGguf() gives the weights transformers reads from the same file', () => {
  expect(Object.keys(golden.hub).sort()).toEqual([...model.tensors.keys()].sort());
  for (const [name, expected] of Object.entries(golden.hub)) {
    const { data } = model.tensors.get(name)!;
    const stride = Math.max(1, Math.floor(data.length / 40));
    const values = Array.from(data).filter((_, i) => i % stride === 0);
    expect(values, name).toEqual(expected.map(Math.fround));
  }
});

test('convertGguf() reads the dimensions, epsilon as it was meant', () => {
  expect(model.config).toMatchObject({
    hiddenSize: 64,
    intermediateSize: 96,
    layers: 1,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    rope: { theta: 100000, scaling: undefined },
    normEpsilon: 1e-5,
    tieEmbeddings: true,
    maxPositions: 512,
    bosTokenId: 1,
    eosTokenIds: [2],
  });
});

test('unpermuteRotary() undoes the reordering of llama.cpp', () => {
  const sizes = fc.record({
    heads: fc.integer({ min: 1, max: 4 }),
    half: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(sizes, ({ heads, half, columns }) => {
      const hub = Float32Array.from({ length: heads * 2 * half * columns }, (_, i) => i);
      // convert_hf_to_gguf.py: reshape(heads, 2, half, columns).swapaxes(1, 2)
      const stored: number[] = [];
      for (let head = 0; head < heads; head++)
        for (let i = 0; i < half; i++)
          for (let part = 0; part < 2; part++) {
            const row = (head * 2 + part) * half + i;
            stored.push(...hub.subarray(row * columns, (row + 1) * columns));
          }
      expect(unpermuteRotary(Float32Array.from(stored), 2 * half, columns)).toEqual(hub);
    }),
  );
});

test('dequantize() refuses parts of blocks', () => {
  expect(() => dequantize(3, new Uint8Array(30))).toThrow('not whole blocks of 20');
});

test('openGguf() tells of files that are missing, something else, or cut off', async () => {
  const path = join(folder, 'x.gguf');
  await expect(openGguf(path)).rejects.toThrow('no such file');
  writeFileSync(path, 'not a model at all');
  await expect(openGguf(path)).rejects.toThrow('not starting with GGUF magic number');
  const bytes = readFileSync(TINY);
  writeFileSync(path, bytes.subarray(0, bytes.length - 100));
  await expect(openGguf(path)).rejects.toThrow(/tensor .* ends at byte \d+, the file at \d+/);
});

/** The golden GGUF with some bytes of its header exchanged for as many others. */
function patched(from: string, to: string): string {
  const path = join(folder, 'patched.gguf');
  const bytes = readFileSync(TINY);
  bytes.write(to, bytes.indexOf(from));
  writeFileSync(path, bytes);
  return path;
}

test.each([
  ['smollm', 'qwen42', 'tokenizer.ggml.pre is "qwen42"'],
  ['gpt2', 'bert', 'tokenizer.ggml.model is "bert"'],
  ['llama', 'gemma', 'general.architecture is "gemma"'],
  ['llama.block_count', 'llama.block_cound', 'llama.block_count should be a number, but it is missing'],
  ['blk.0.attn_q', 'blk.0.attn_z', 'tensor blk.0.attn_q.weight should be [64,64], found none'],
])('convertGguf() refuses a file whose %s is %s', async (from, to, message) => {
  const target = join(folder, 'refused');
  await expect(convertGguf(patched(from, to), target)).rejects.toThrow(message);
});
