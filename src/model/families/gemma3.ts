/**
 * Gemma 3, text models (arXiv 2503.19786): norms before and after attention and MLP with weights stored less one, norms of
 * query and key heads, scaled embeddings, GELU, and windows on most layers with a rotary base of their own.
 */

import type { HubFields } from '../hub-fields.ts';
import { readRope, readScaling, ropeFields } from '../hub-rope.ts';
import type { Rope } from '../rope.ts';
import type { Family, Refuse } from './family.ts';
import { plainWiring } from './llama.ts';
import { LAYER_TYPES, slidingLayers } from './sliding-layers.ts';

const ACTIVATION = 'gelu_pytorch_tanh';
const FULL_THETA = 1_000_000;
const SLIDING_THETA = 10_000;
/** Every so many layers one sees everything. */
const PATTERN = 6;

/** transformers 5 writes one rope_parameters a layer type; before, the full layers' stood where Llama's stand. */
function readRopes(hub: HubFields, refuse: Refuse): { full: Rope; sliding: Rope } {
  const { full_attention: full, sliding_attention: sliding } = hub.rope_parameters ?? {};
  if (full || sliding) {
    return {
      full: { theta: full?.rope_theta ?? FULL_THETA, scaling: readScaling(hub, full, refuse) },
      sliding: { theta: sliding?.rope_theta ?? SLIDING_THETA, scaling: readScaling(hub, sliding, refuse) },
    };
  }
  const local = hub.rope_local_base_freq ?? SLIDING_THETA;
  return { full: readRope(hub, refuse), sliding: { theta: local, scaling: undefined } };
}

export const gemma3: Family = {
  name: 'gemma3_text',
  architecture: 'Gemma3ForCausalLM',
  defaults: {
    head_dim: 256,
    rope_theta: FULL_THETA,
    max_position_embeddings: 131_072,
    tie_word_embeddings: true,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    hidden_activation: ACTIVATION,
  },
  wiring(hub, headDim, refuse) {
    if (hub.hidden_activation !== ACTIVATION) refuse('hidden_activation', hub.hidden_activation);
    if (hub.attention_bias) refuse('attention_bias', true);
    if (hub.use_bidirectional_attention) refuse('use_bidirectional_attention', true);
    for (const cap of ['attn_logit_softcapping', 'final_logit_softcapping'] as const)
      if (hub[cap] != null) refuse(cap, hub[cap]);
    const { full, sliding } = readRopes(hub, refuse);
    const pattern = hub.sliding_window_pattern ?? hub._sliding_window_pattern ?? PATTERN;
    const layers = slidingLayers(hub, (layer) => (layer + 1) % pattern !== 0, refuse);
    return {
      ...plainWiring(headDim, full),
      headNorms: true,
      outputNorms: true,
      normOffset: 1,
      activation: 'gelu',
      embeddingScale: Math.sqrt(hub.hidden_size),
      scoreScale: 1 / Math.sqrt(hub.query_pre_attn_scalar ?? headDim),
      sliding: layers.includes(true)
        ? { window: hub.sliding_window ?? refuse('sliding_window', null), rope: sliding, layers }
        : undefined,
    };
  },
  hubFields: ({ rope, sliding, scoreScale, layers }) => ({
    hidden_activation: ACTIVATION,
    ...ropeFields(rope),
    attention_bias: false,
    query_pre_attn_scalar: Math.round(scoreScale ** -2),
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    layer_types: Array.from({ length: layers }, (_, layer) => LAYER_TYPES[sliding?.layers[layer] ? 1 : 0]),
    ...(sliding ? { sliding_window: sliding.window, rope_local_base_freq: sliding.rope.theta } : {}),
  }),
};
