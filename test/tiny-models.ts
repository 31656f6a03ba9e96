/** Small models, adapters and token sequences for tests of the engine, of training and of quantization. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayerAdapter } from '../src/engine/engine.ts';
import type { TokenSequence } from '../src/engine/pack.ts';
import { randomStream } from '../src/foundation/random.ts';
import type { Tensor } from '../src/graph/value.ts';
import { type Adapter, adapterScale, createAdapter } from '../src/model/adapter.ts';
import type { ModelConfig, ModelWeights } from '../src/model/config.ts';
import { loadModel } from '../src/model/load.ts';
import type { RuntimeModel } from '../src/model/runtime-model.ts';
import { type TinySettings, writeTinyModel } from '../src/model/tiny.ts';

/** The least that has everything: grouped queries, two layers, an MLP wider than the stream. */
export const SMALLEST = { hiddenSize: 16, intermediateSize: 24, heads: 4, kvHeads: 2, layers: 2 } as const;

export function tinyWeights(settings: Partial<TinySettings> = {}): ModelWeights {
  const folder = mkdtempSync(join(tmpdir(), 'mga-tiny-'));
  try {
    writeTinyModel(folder, settings);
    return loadModel(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const widen = (tensor: Tensor): Tensor =>
  tensor.dtype === 'float32'
    ? { ...tensor, dtype: 'float64', data: Float64Array.from(tensor.data as Float32Array) }
    : tensor;

const widenAll = (tensors: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, widen(tensor)]));

/** The same model for a float64 engine. */
export function inFloat64(model: RuntimeModel): RuntimeModel {
  return {
    ...model,
    layers: model.layers.map(widenAll),
    normFinal: widen(model.normFinal),
    embedding: widen(model.embedding),
    head: widen(model.head),
  };
}

export const adapterInFloat64 = (layers: readonly LayerAdapter[]): Record<string, Tensor>[] => layers.map(widenAll);

/** An adapter in which B is not zero, so that every parameter matters. */
export function busyAdapter(config: ModelConfig, settings: { rank: number; alpha: number }, seed = 7): Adapter {
  const adapter = createAdapter(config, settings, seed);
  for (const [layer, tensors] of adapter.layers.entries()) {
    for (const [name, { data }] of Object.entries(tensors)) {
      if (name.endsWith('.A')) continue;
      const random = randomStream(seed, 'busy', layer, name);
      for (let i = 0; i < data.length; i++) data[i] = 0.2 * (2 * random.uniform() - 1);
    }
  }
  return adapter;
}

/** The adapter as engine settings name it. */
export const loraOf = (adapter: Adapter) => ({ rank: adapter.rank, scale: adapterScale(adapter) });

/** Zeros of an adapter's shapes, to sum gradients in. */
export function zeroGradients<T extends Float32Array | Float64Array>(
  layers: readonly LayerAdapter[],
  make: (length: number) => T,
): Record<string, T>[] {
  return layers.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, { data }]) => [name, make(data.length)])),
  );
}

/** `count` tokens that mean nothing, all bytes. */
export function drawTokens(count: number, ...keys: (string | number)[]): number[] {
  const random = randomStream('tokens', ...keys);
  return Array.from({ length: count }, () => random.integer(256));
}

/** Sequences that begin with the same `prefix` tokens, one for each length of the rest; the last `labels` are targets. */
export function drawTree(prefix: number, rests: readonly number[], labels: number, seed = 0): TokenSequence[] {
  const start = drawTokens(prefix, 'prefix', seed);
  return rests.map((length, i) => {
    // The first token differs, so that the prefix is exactly as long as asked for.
    const tokens = [...start, i, ...drawTokens(length - 1, 'rest', seed, i)];
    return { tokens, labelsFrom: tokens.length - labels };
  });
}
