/** A model as the engine runs it: each layer's weights as the graph inputs they are fed to. */

import type { Tensor } from '../graph/value.ts';
import { LINEAR_NAMES, type ModelConfig, type ModelWeights } from './config.ts';
import { linearGroups } from './decoder-layer.ts';
import { EMBEDDING, FINAL_NORM, HEAD, layerNorms } from './hub-weights.ts';
import { type LinearGroup, outputsOf, type Precision } from './linear.ts';

export interface RuntimeModel {
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** Graph inputs of each layer by name: norms (their offset added), and each linear's weight and bias. */
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

/** The weight of one linear of a group, f32 `[outputs, inputs]`. */
export function partWeight(
  weights: ModelWeights,
  layer: number,
  { inputs }: LinearGroup,
  { name, outputs }: LinearGroup['parts'][number],
): Float32Array {
  return weightOf(weights, `model.layers.${layer}.${LINEAR_NAMES[name]}.weight`, [outputs, inputs]);
}

/** The group's weight f32 `[outputs, inputs]`, its parts one below the other. */
export function groupWeight(weights: ModelWeights, layer: number, group: LinearGroup): Float32Array {
  const whole = new Float32Array(outputsOf(group) * group.inputs);
  let offset = 0;
  for (const part of group.parts) {
    whole.set(partWeight(weights, layer, group, part), offset);
    offset += part.outputs * group.inputs;
  }
  return whole;
}

const vector = (data: Float32Array): Tensor => ({ dtype: 'float32', shape: [data.length], data });

/** A norm's stored weight with the family's offset added. */
function normWeight(weights: ModelWeights, name: string, size: number): Float32Array {
  const stored = weightOf(weights, name, [size]);
  const { normOffset } = weights.config;
  return normOffset === 0 ? stored : stored.map((w) => w + normOffset);
}

/** What a layer has besides the weights of its linears: norms and biases, by graph input. */
export function layerVectors(weights: ModelWeights, layer: number): Record<string, Tensor> {
  const { config } = weights;
  const prefix = `model.layers.${layer}`;
  const norms = Object.entries(layerNorms(config)).map(([input, { name, size }]) => [
    input,
    vector(normWeight(weights, `${prefix}.${name}.weight`, size)),
  ]);
  const biases = Object.values(linearGroups(config)).flatMap(({ bias, parts }) =>
    (bias ? parts : []).map(({ name, outputs }) => [
      `${name}.bias`,
      vector(weightOf(weights, `${prefix}.${LINEAR_NAMES[name]}.bias`, [outputs])),
    ]),
  );
  return Object.fromEntries([...norms, ...biases]) as Record<string, Tensor>;
}

/** What lies outside the layers. */
export function outerWeights(weights: ModelWeights): Pick<RuntimeModel, 'normFinal' | 'embedding' | 'head'> {
  const { vocabSize, hiddenSize, tieEmbeddings } = weights.config;
  const table = (name: string): Tensor => ({
    dtype: 'float32',
    shape: [vocabSize, hiddenSize],
    data: weightOf(weights, name, [vocabSize, hiddenSize]),
  });
  const embedding = table(EMBEDDING);
  return {
    normFinal: vector(normWeight(weights, FINAL_NORM, hiddenSize)),
    embedding,
    head: tieEmbeddings ? embedding : table(HEAD),
  };
}

/** The f32 model. */
export function f32Model(weights: ModelWeights): RuntimeModel {
  const { config } = weights;
  const groups = Object.values(linearGroups(config));
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const linears = groups.flatMap((group) =>
      group.parts.map((part) => [
        `${part.name}.weight`,
        {
          dtype: 'float32',
          shape: [part.outputs, group.inputs],
          data: partWeight(weights, layer, group, part),
        } satisfies Tensor,
      ]),
    );
    return { ...layerVectors(weights, layer), ...Object.fromEntries(linears) } as Record<string, Tensor>;
  });
  return { config, precision: 'f32', layers, ...outerWeights(weights) };
}
