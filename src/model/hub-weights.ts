/** Names and shapes of a decoder's weights as the hub stores them. */

import { LINEAR_NAMES, type ModelConfig } from './config.ts';
import { linearGroups } from './decoder-layer.ts';

export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
export const HEAD = 'lm_head.weight';

/** A layer's norms by graph input (decoder-layer.ts): hub name inside the layer, and length. */
export function layerNorms(config: ModelConfig): Record<string, { readonly name: string; readonly size: number }> {
  const { hiddenSize: size, headDim, outputNorms, headNorms } = config;
  return {
    norm1: { name: 'input_layernorm', size },
    ...(headNorms && {
      normQ: { name: 'self_attn.q_norm', size: headDim },
      normK: { name: 'self_attn.k_norm', size: headDim },
    }),
    // Where what attention gives has a norm, that one has the name which elsewhere the norm before the MLP has.
    ...(outputNorms
      ? {
          normAttention: { name: 'post_attention_layernorm', size },
          norm2: { name: 'pre_feedforward_layernorm', size },
          normMlp: { name: 'post_feedforward_layernorm', size },
        }
      : { norm2: { name: 'post_attention_layernorm', size } }),
  };
}

/** Every weight of the model by hub name, with its shape; linears are `[out, in]`. Without `lm_head` where it is tied. */
export function hubWeightShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize, vocabSize } = config;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    for (const { name, size } of Object.values(layerNorms(config))) shapes.set(`${prefix}.${name}.weight`, [size]);
    for (const { inputs, parts, bias } of Object.values(linearGroups(config))) {
      for (const { name, outputs } of parts) {
        shapes.set(`${prefix}.${LINEAR_NAMES[name]}.weight`, [outputs, inputs]);
        if (bias) shapes.set(`${prefix}.${LINEAR_NAMES[name]}.bias`, [outputs]);
      }
    }
  }
  shapes.set(FINAL_NORM, [hiddenSize]);
  if (!config.tieEmbeddings) shapes.set(HEAD, [vocabSize, hiddenSize]);
  return shapes;
}
