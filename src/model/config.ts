/** A decoder's dimensions and weights by their hub names; what sets its family apart (Wiring). */

import type { Rope } from './rope.ts';

/** model_type of the hub's config.json. */
export type FamilyName = 'llama' | 'qwen2' | 'qwen3' | 'gemma3_text';

/** Layers that see only the last `window` tokens, their own included. */
export interface SlidingAttention {
  readonly window: number;
  readonly rope: Rope;
  /** Of each layer, whether it is one of them. */
  readonly layers: readonly boolean[];
}

/** What the layers of a family are made of; decoder-layer.ts and the ONNX export read it. */
export interface Wiring {
  /** The products for queries, keys and values have biases. */
  readonly qkvBias: boolean;
  /** Each query and key head goes through an RMS norm before it is rotated. */
  readonly headNorms: boolean;
  /** What attention and MLP give goes through an RMS norm before it is added to the residual stream. */
  readonly outputNorms: boolean;
  /** Added to the stored weights of all norms. */
  readonly normOffset: 0 | 1;
  /** Of the MLP's gate; gelu is the one with tanh. */
  readonly activation: 'silu' | 'gelu';
  /** Multiplied into token embeddings, not into the head tied to them. */
  readonly embeddingScale: number;
  /** Multiplied into attention's scores. */
  readonly scoreScale: number;
  readonly rope: Rope;
  readonly sliding: SlidingAttention | undefined;
}

/** Dimensions of a decoder-only transformer; field meanings are those of the hub's config.json. */
export interface ModelConfig extends Wiring {
  readonly family: FamilyName;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly normEpsilon: number;
  readonly tieEmbeddings: boolean;
  readonly maxPositions: number;
  readonly bosTokenId: number | undefined;
  /** Tokens that end a response. */
  readonly eosTokenIds: readonly number[];
}

/** How a layer attends: its rotary positions, and how many tokens it sees (undefined: all before it). */
export function layerAttention(
  { rope, sliding }: ModelConfig,
  layer: number,
): { readonly rope: Rope; readonly window: number | undefined } {
  return sliding?.layers[layer] ? sliding : { rope, window: undefined };
}

/** Weights by hub name (`model.layers.0.self_attn.q_proj.weight`), linears as `[out, in]`, all f32, rotary halves in hub order. */
export interface ModelWeights {
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

/** The seven linears of a layer that LoRA adapts, by their hub names inside the layer. */
export const LINEAR_NAMES = {
  q: 'self_attn.q_proj',
  k: 'self_attn.k_proj',
  v: 'self_attn.v_proj',
  o: 'self_attn.o_proj',
  gate: 'mlp.gate_proj',
  up: 'mlp.up_proj',
  down: 'mlp.down_proj',
} as const;

export type LinearName = keyof typeof LINEAR_NAMES;
