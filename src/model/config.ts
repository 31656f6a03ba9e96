/** A decoder's dimensions and its weights by their hub names. */

/** Dimensions of a decoder-only transformer; field meanings are those of the hub's config.json. */
export interface ModelConfig {
  readonly family: 'llama';
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
  readonly tieEmbeddings: boolean;
  readonly maxPositions: number;
  readonly bosTokenId: number | undefined;
  /** Tokens that end a response. */
  readonly eosTokenIds: readonly number[];
}

/** Weights by hub name (`model.layers.0.self_attn.q_proj.weight`), linears as `[out, in]`, all f32, rotary halves in hub order. */
export interface ModelWeights {
  readonly config: ModelConfig;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

/** The seven linears of a Llama layer that LoRA adapts, by their hub names inside the layer. */
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
