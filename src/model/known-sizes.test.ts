import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALIASES } from './aliases.ts';
import { toHubConfig } from './hub-config.ts';
import { hubWeightShapes } from './hub-weights.ts';
import { knownSizes } from './known-sizes.ts';
import { randomWeights } from './random-weights.ts';
import { writeTinyModel } from './tiny.ts';

/** Parameters of the released models, a tied head counted once. */
const PARAMETERS: Record<keyof typeof ALIASES, number> = {
  'smollm2-135m-instruct': 134_515_008,
  'smollm2-360m-instruct': 361_821_120,
  'smollm2-1.7b-instruct': 1_711_376_384,
  'qwen2.5-0.5b-instruct': 494_032_768,
  'qwen2.5-1.5b-instruct': 1_543_714_304,
  'qwen3-0.6b': 596_049_920,
  'qwen3-1.7b': 1_720_574_976,
  'gemma-3-270m-it': 268_098_176,
  'gemma-3-1b-it': 999_885_952,
};

it.each(Object.entries(ALIASES))('knows the sizes of %s by alias and hub id', (name, { hubId }) => {
  const config = knownSizes(name)!;
  const sizes = [...hubWeightShapes(config).values()].map((shape) => shape.reduce((n, length) => n * length, 1));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(PARAMETERS[name]);
  expect(knownSizes(hubId)).toEqual(config);
});

it('reads the config.json of a folder without weights, and knows nothing of other names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mga-sizes-'));
  const [whole, bare] = [join(folder, 'whole'), join(folder, 'bare')];
  const config = writeTinyModel(whole);
  mkdirSync(bare);
  writeFileSync(join(bare, 'config.json'), JSON.stringify(toHubConfig(config)));
  expect(knownSizes(bare)).toEqual(config);
  expect(knownSizes(whole)).toBeUndefined();
  expect(knownSizes('nobody/no-such-model')).toBeUndefined();
  rmSync(folder, { recursive: true });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

it('makes random weights of these shapes, equal each time they are read', () => {
  const small = { layers: 1, vocabSize: 300, hiddenSize: 32, intermediateSize: 48, heads: 2, headDim: 24 };
  const { config, tensors } = randomWeights({ ...knownSizes('gemma-3-270m-it')!, ...small });
  expect([...tensors.keys()]).toEqual([...hubWeightShapes(config).keys()]);
  for (const [name, tensor] of tensors) {
    const { shape, data } = tensor;
    expect(data.length, name).toBe(shape.reduce((n, length) => n * length, 1));
    expect(Buffer.compare(bytesOf(tensor.data), bytesOf(data)), name).toBe(0);
    if (shape.length === 1) expect(new Set(data)).toEqual(new Set([0]));
    else {
      const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length;
      expect(Math.abs(variance * shape[1]! - 1), name).toBeLessThan(0.15);
    }
  }
});
