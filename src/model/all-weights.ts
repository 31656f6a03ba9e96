/** All weights of an f32 model as what is trained: by graph input while they are, by hub name afterwards. */

import type { Tensor } from '../graph/value.ts';
import { LINEAR_NAMES } from './config.ts';
import { linearGroups } from './decoder-layer.ts';
import { EMBEDDING, FINAL_NORM, HEAD, layerNorms } from './hub-weights.ts';
import type { RuntimeModel } from './runtime-model.ts';
import type { FloatTensor } from './safetensors.ts';

/** Tensors of the model itself: what changes them changes the model. */
export interface AllWeights {
  readonly model: RuntimeModel;
  readonly layers: readonly Readonly<Record<string, Tensor>>[];
  /** What lies outside the layers: normFinal, embedding, and the head where it is not tied. */
  readonly outer: Readonly<Record<string, Tensor>>;
}

/** All weights of an f32 model. */
export function allWeights(model: RuntimeModel): AllWeights {
  const { normFinal, embedding, head, layers } = model;
  return { model, layers, outer: { normFinal, embedding, ...(head === embedding ? {} : { head }) } };
}

/** The tensors as the hub stores them (hubWeightShapes): norms without the family's offset. */
export function hubTensors({ config, layers, normFinal, embedding, head }: RuntimeModel): Map<string, FloatTensor> {
  const float = ({ shape, data }: Tensor): FloatTensor => ({ shape, data: data as Float32Array });
  const norm = ({ shape, data }: Tensor): FloatTensor => {
    const stored = data as Float32Array;
    return { shape, data: config.normOffset === 0 ? stored : stored.map((w) => w - config.normOffset) };
  };
  const tensors = new Map([
    [EMBEDDING, float(embedding)],
    [FINAL_NORM, norm(normFinal)],
  ]);
  if (head !== embedding) tensors.set(HEAD, float(head));
  for (const [layer, weights] of layers.entries()) {
    const prefix = `model.layers.${layer}`;
    for (const [input, { name }] of Object.entries(layerNorms(config))) {
      tensors.set(`${prefix}.${name}.weight`, norm(weights[input]!));
    }
    for (const { bias, parts } of Object.values(linearGroups(config))) {
      for (const { name } of parts) {
        const key = `${prefix}.${LINEAR_NAMES[name]}`;
        tensors.set(`${key}.weight`, float(weights[`${name}.weight`]!));
        if (bias) tensors.set(`${key}.bias`, float(weights[`${name}.bias`]!));
      }
    }
  }
  return tensors;
}
