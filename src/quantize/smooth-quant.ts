/**
 * SmoothQuant (arXiv 2211.10438): moves the spread of activations into the weights, so that both fit eight bits. What a norm
 * feeds is smoothed by dividing the norm's weight by s and multiplying the columns of the linears behind it; what `down`
 * reads, act(gate) up, by dividing the outputs of `up`, in which it is linear. Rows of `up` keep their codes: only their
 * scales change. What `o` reads is left as it is: scales shared by a key head's queries did not help (docs/log.md).
 */

import type { Tensor } from '../graph/value.ts';
import type { ModelWeights } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import type { LinearGroup } from '../model/linear.ts';
import { layerVectors, outerWeights, partWeight, type RuntimeModel } from '../model/runtime-model.ts';
import { transposed } from '../model/transposed.ts';
import { quantizeWeight } from './int8.ts';

/** A layer's scales s of what its linears read, by group. */
export interface LayerSmoothing {
  /** Of the norms' outputs, `[hidden]`. */
  readonly qkv: Float32Array;
  readonly gateUp: Float32Array;
  /** Of what down reads, `[intermediate]`; absent: not smoothed. */
  readonly down?: Float32Array;
}

/** Of all layers. */
export type Smoothing = readonly LayerSmoothing[];

/** Smaller scales would blow a channel's activations up instead of down (llm-compressor's floor). */
const SMALLEST_SCALE = 1e-5;

/**
 * s_j = max|X_j|^alpha / max|W_j|^(1 - alpha) for each input channel j.
 *
 * @param absmax largest activation of each input channel
 * @param weight f32 `[outputs, inputs]`
 */
export function smoothingScales(absmax: Float32Array, weight: Float32Array, alpha: number): Float32Array {
  const inputs = absmax.length;
  const largest = new Float32Array(inputs);
  for (let i = 0; i < weight.length; i++) {
    const column = i % inputs;
    const magnitude = Math.abs(weight[i]!);
    if (magnitude > largest[column]!) largest[column] = magnitude;
  }
  return absmax.map((x, j) =>
    x === 0 || largest[j] === 0 ? 1 : Math.max(SMALLEST_SCALE, x ** alpha / largest[j]! ** (1 - alpha)),
  );
}

/** Scales of 1: quantization without smoothing. */
export function noSmoothing({ config }: ModelWeights): Smoothing {
  const ones = () => new Float32Array(config.hiddenSize).fill(1);
  return Array.from({ length: config.layers }, () => ({ qkv: ones(), gateUp: ones() }));
}

/** The model on the W8A8 grid: int8 per output channel, norms smoothed, embedding and head f32. */
export function quantizedModel(weights: ModelWeights, smoothing: Smoothing): RuntimeModel {
  const { config } = weights;
  const groups = Object.values(linearGroups(config));
  const layers = smoothing.map((scales, layer) => {
    const tensors = layerVectors(weights, layer);
    tensors.norm1 = divided(tensors.norm1!, scales.qkv);
    tensors.norm2 = divided(tensors.norm2!, scales.gateUp);
    for (const group of groups) Object.assign(tensors, quantizedGroup(weights, layer, group, scales));
    return tensors;
  });
  return { config, precision: 'w8a8', layers, ...outerWeights(weights) };
}

function quantizedGroup(weights: ModelWeights, layer: number, group: LinearGroup, scales: LayerSmoothing) {
  const smoothing = group.name === 'o' ? undefined : scales[group.name];
  const { inputs } = group;
  const tensors: Record<string, Tensor> = {};
  for (const part of group.parts) {
    const { name, outputs } = part;
    const weight = partWeight(weights, layer, group, part);
    const { codes, scale } = quantizeWeight(weight, outputs, inputs, smoothing);
    tensors[`${name}.int8`] = { dtype: 'int8', shape: [inputs, outputs], data: transposed(codes, outputs, inputs) };
    const { down } = scales;
    const data = name === 'up' && down ? scale.map((step, j) => step / down[j]!) : scale;
    tensors[`${name}.scale`] = { dtype: 'float32', shape: [outputs], data };
  }
  return tensors;
}

function divided({ shape, data }: Tensor, scales: Float32Array): Tensor {
  return { dtype: 'float32', shape, data: (data as Float32Array).map((w, j) => w / scales[j]!) };
}
