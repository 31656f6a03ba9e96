/** Names and shapes of a decoder's weights as the hub stores them. */

import { LINEAR_NAMES, type ModelConfig } from './config.ts';

export const EMBEDDING = 'model.embed_tokens.weight';
export const FINAL_NORM = 'model.norm.weight';
export const HEAD = 'lm_head.weight';

/** Every weight of the model by hub name, with its shape; linears are `[out, in]`. Without `lm_head` where it is tied. */
export function hubWeightShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize, intermediateSize, vocabSize } = config;
  const queries = config.heads * config.headDim;
  const keys = config.kvHeads * config.headDim;
  const shapes = new Map<string, readonly number[]>([[EMBEDDING, [vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]) => shapes.set(`model.layers.${layer}.${name}.weight`, shape);
    add('input_layernorm', hiddenSize);
    add(LINEAR_NAMES.q, queries, hiddenSize);
    add(LINEAR_NAMES.k, keys, hiddenSize);
    add(LINEAR_NAMES.v, keys, hiddenSize);
    add(LINEAR_NAMES.o, hiddenSize, queries);
    add('post_attention_layernorm', hiddenSize);
    add(LINEAR_NAMES.gate, intermediateSize, hiddenSize);
    add(LINEAR_NAMES.up, intermediateSize, hiddenSize);
    add(LINEAR_NAMES.down, hiddenSize, intermediateSize);
  }
  shapes.set(FINAL_NORM, [hiddenSize]);
  if (!config.tieEmbeddings) shapes.set(HEAD, [vocabSize, hiddenSize]);
  return shapes;
}
