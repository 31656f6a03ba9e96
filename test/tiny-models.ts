/** Small models, adapters and token sequences for tests of the engine, of training and of quantization. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, LayerAdapter } from '../src/engine/engine.ts';
import type { Packed, TokenSequence } from '../src/engine/pack.ts';
import { randomStream } from '../src/foundation/random.ts';
import type { Tensor } from '../src/graph/value.ts';
import { type Adapter, adapterScale, createAdapter } from '../src/model/adapter.ts';
import { LINEAR_NAMES, type ModelConfig, type ModelWeights } from '../src/model/config.ts';
import { loadModel } from '../src/model/load.ts';
import type { RuntimeModel } from '../src/model/runtime-model.ts';
import { type TinySettings, writeTinyModel } from '../src/model/tiny.ts';
import type { Smoothing } from '../src/quantize/smooth-quant.ts';

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
  const embedding = widen(model.embedding);
  return {
    ...model,
    layers: model.layers.map(widenAll),
    normFinal: widen(model.normFinal),
    embedding,
    head: model.head === model.embedding ? embedding : widen(model.head),
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

export function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean loss over a batch's labels, each label's loss, and the adapter's gradients of the mean. */
export async function lossAndGradients(engine: Engine, packed: Packed, layers: readonly LayerAdapter[]) {
  const state = await engine.forward(packed, layers, true);
  const weights = packed.targets.map(() => 1 / packed.targets.length);
  const { losses, dy } = await engine.loss(state, weights);
  const grads = zeroGradients(layers, (length) =>
    dy instanceof Float64Array ? new Float64Array(length) : new Float32Array(length),
  );
  await engine.backward(state, dy!, layers, grads);
  return { loss: mean(losses), losses, grads };
}

/**
 * Gradients that differ: for each tensor off by more than `tolerance` x its largest expected element, by how much.
 * Empty where all agree.
 */
export function differences(
  found: readonly Readonly<Record<string, ArrayLike<number>>>[],
  expected: readonly Readonly<Record<string, ArrayLike<number>>>[],
  tolerance: number,
): string[] {
  return expected.flatMap((tensors, layer) =>
    Object.entries(tensors).flatMap(([name, values]) => {
      const others = found[layer]![name]!;
      let largest = 0;
      let off = others.length === values.length ? 0 : Number.POSITIVE_INFINITY;
      for (let i = 0; i < values.length; i++) {
        largest = Math.max(largest, Math.abs(values[i]!));
        const distance = Math.abs(others[i]! - values[i]!);
        // NaN is far from everything.
        if (!(distance <= off)) off = distance;
      }
      return off <= tolerance * largest ? [] : [`layer ${layer} ${name}: off by ${off}, largest ${largest}`];
    }),
  );
}

/** Cosine between all gradients of two passes, taken as one vector. */
export function cosine(
  a: readonly Readonly<Record<string, ArrayLike<number>>>[],
  b: readonly Readonly<Record<string, ArrayLike<number>>>[],
): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (const [layer, tensors] of a.entries()) {
    for (const [name, values] of Object.entries(tensors)) {
      const others = b[layer]![name]!;
      for (let i = 0; i < values.length; i++) {
        ab += values[i]! * others[i]!;
        aa += values[i]! ** 2;
        bb += others[i]! ** 2;
      }
    }
  }
  return ab / Math.sqrt(aa * bb);
}

/** Scales from a tenth to ten, far from what calibration would give. */
export function wildSmoothing({ layers, hiddenSize, intermediateSize }: ModelConfig): Smoothing {
  return Array.from({ length: layers }, (_, layer) => {
    const draw = (name: string, length: number) => {
      const random = randomStream('smoothing', layer, name);
      return Float32Array.from({ length }, () => 10 ** (2 * random.uniform() - 1));
    };
    return { qkv: draw('qkv', hiddenSize), gateUp: draw('gateUp', hiddenSize), down: draw('down', intermediateSize) };
  });
}

/** The weights with the smoothing scales moved into them: norms and outputs of up divided by s, columns behind them multiplied. */
export function smoothedWeights(weights: ModelWeights, smoothing: Smoothing): ModelWeights {
  const tensors = new Map(weights.tensors);
  const change = (name: string, factor: (column: number, row: number) => number) => {
    const { shape, data } = tensors.get(name)!;
    const width = shape.at(-1)!;
    tensors.set(name, { shape, data: data.map((value, i) => value * factor(i % width, Math.floor(i / width))) });
  };
  for (const [layer, { qkv, gateUp, down }] of smoothing.entries()) {
    const prefix = `model.layers.${layer}`;
    change(`${prefix}.input_layernorm.weight`, (i) => 1 / qkv[i]!);
    change(`${prefix}.post_attention_layernorm.weight`, (i) => 1 / gateUp[i]!);
    for (const name of ['q', 'k', 'v'] as const) change(`${prefix}.${LINEAR_NAMES[name]}.weight`, (i) => qkv[i]!);
    for (const name of ['gate', 'up'] as const) change(`${prefix}.${LINEAR_NAMES[name]}.weight`, (i) => gateUp[i]!);
    if (down) {
      change(`${prefix}.${LINEAR_NAMES.up}.weight`, (_, output) => 1 / down[output]!);
      change(`${prefix}.${LINEAR_NAMES.down}.weight`, (i) => down[i]!);
    }
  }
  return { ...weights, tensors };
}
