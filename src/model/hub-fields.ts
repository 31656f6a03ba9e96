/** The fields of the hub's config.json that some family reads; unknown ones pass. */

import { z } from 'zod';

/** One id, several, or none. */
export const tokenIds = z.union([z.int(), z.array(z.int())]).nullish();

const positive = z.int().positive();

const ropeParameters = z.looseObject({
  rope_type: z.string().optional(),
  // Older files.
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: positive.optional(),
});

export type RopeParameters = z.infer<typeof ropeParameters>;

export const hubFields = z.looseObject({
  model_type: z.string(),
  vocab_size: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  hidden_act: z.string().default('silu'),
  hidden_activation: z.string().nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeParameters.nullish(),
  // transformers 5 writes the two above as one, and one a layer type where they differ.
  rope_parameters: ropeParameters
    .extend({ full_attention: ropeParameters.optional(), sliding_attention: ropeParameters.optional() })
    .nullish(),
  rope_local_base_freq: z.number().positive().nullish(),
  max_position_embeddings: positive.default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: positive.nullish(),
  max_window_layers: z.int().nonnegative().nullish(),
  sliding_window_pattern: positive.nullish(),
  _sliding_window_pattern: positive.nullish(),
  layer_types: z.array(z.string()).nullish(),
  query_pre_attn_scalar: z.number().positive().nullish(),
  attn_logit_softcapping: z.number().nullish(),
  final_logit_softcapping: z.number().nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  bos_token_id: z.int().nullish(),
  eos_token_id: tokenIds,
});

export type HubFields = z.infer<typeof hubFields>;
