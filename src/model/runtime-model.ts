/** A model as the engine runs it: each layer's weights as the graph inputs they are fed to. */

import type { Tensor } from '../graph/value.ts';
import { LINEAR_NAMES, type ModelConfig, type ModelWeights } from './config.ts';
import { type LinearGroup, outputsOf, type Precision } from './linear.ts';
import { linearGroups } from './llama.ts';

export interface RuntimeModel {
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** Graph inputs of each layer by name: norm1, norm2 and the linear groups' weights. */
  readonly layers: readonly Readonly<Record<string, Tensor>>[];
  readonly normFinal: Tensor;
  /** Token embedding f32 `[vocabulary, hidden]`. */
  readonly embedding: Tensor;
  /** Output head f32 `[vocabulary, hidden]`; the embedding itself where they are tied. */
  readonly head: Tensor;
}

/** One tensor of the weights, checked for its shape. */
export function weightOf(weights: ModelWeights, name: string, shape: readonly number[]): Float32Array {
  const tensor = weights.tensors.get(name);
  if (!tensor) throw new TypeError(`Cannot find tensor ${name} among ${weights.tensors.size} weights`);
  if (tensor.shape.join() !== shape.join()) {
    throw new TypeError(`Cannot use tensor ${name}: its shape is [${tensor.shape}], the config asks for [${shape}]`);
  }
  return tensor.data;
}

/** The group's weight f32 `[outputs, inputs]`, its parts one below the other. */
export function groupWeight(weights: ModelWeights, layer: number, group: LinearGroup): Float32Array {
  const name = (part: LinearGroup['parts'][number]) => `model.layers.${layer}.${LINEAR_NAMES[part.name]}.weight`;
  if (group.parts.length === 1) return weightOf(weights, name(group.parts[0]!), [outputsOf(group), group.inputs]);
  const whole = new Float32Array(outputsOf(group) * group.inputs);
  let offset = 0;
  for (const part of group.parts) {
    whole.set(weightOf(weights, name(part), [part.outputs, group.inputs]), offset);
    offset += part.outputs * group.inputs;
  }
  return whole;
}

const vector = (data: Float32Array): Tensor => ({ dtype: 'float32', shape: [data.length], data });

/** The norm weights of a layer, by graph input. */
export function layerNorms(weights: ModelWeights, layer: number): { norm1: Float32Array; norm2: Float32Array } {
  const { hiddenSize } = weights.config;
  const norm = (name: string) => weightOf(weights, `model.layers.${layer}.${name}.weight`, [hiddenSize]);
  return { norm1: norm('input_layernorm'), norm2: norm('post_attention_layernorm') };
}

/** What lies outside the layers. */
export function outerWeights(weights: ModelWeights): Pick<RuntimeModel, 'normFinal' | 'embedding' | 'head'> {
  const { vocabSize, hiddenSize, tieEmbeddings } = weights.config;
  const table = (name: string): Tensor => ({
    dtype: 'float32',
    shape: [vocabSize, hiddenSize],
    data: weightOf(weights, name, [vocabSize, hiddenSize]),
  });
  const embedding = table('model.embed_tokens.weight');
  return {
    normFinal: vector(weightOf(weights, 'model.norm.weight', [hiddenSize])),
    embedding,
    head: tieEmbeddings ? embedding : table('lm_head.weight'),
  };
}

/** The f32 model. */
export function f32Model(weights: ModelWeights): RuntimeModel {
  const { config } = weights;
  const groups = Object.values(linearGroups(config));
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const { norm1, norm2 } = layerNorms(weights, layer);
    const linears = groups.map((group) => [
      `${group.name}.weight`,
      {
        dtype: 'float32',
        shape: [outputsOf(group), group.inputs],
        data: groupWeight(weights, layer, group),
      } satisfies Tensor,
    ]);
    return { norm1: vector(norm1), norm2: vector(norm2), ...Object.fromEntries(linears) } as Record<string, Tensor>;
  });
  return { config, precision: 'f32', layers, ...outerWeights(weights) };
}
