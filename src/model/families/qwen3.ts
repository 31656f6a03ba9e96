/** Qwen3 (arXiv 2505.09388): Llama with an RMS norm on every query and key head; heads of a size of their own. */

import { readRope, ropeFields } from '../hub-rope.ts';
import type { Family } from './family.ts';
import { plainWiring } from './llama.ts';
import { qwenSliding, qwenSlidingFields } from './qwen-sliding.ts';

export const qwen3: Family = {
  name: 'qwen3',
  architecture: 'Qwen3ForCausalLM',
  defaults: { head_dim: 128, max_position_embeddings: 32_768 },
  wiring(hub, headDim, refuse) {
    if (hub.hidden_act !== 'silu') refuse('hidden_act', hub.hidden_act);
    if (hub.attention_bias) refuse('attention_bias', true);
    const rope = readRope(hub, refuse);
    return { ...plainWiring(headDim, rope), headNorms: true, sliding: qwenSliding(hub, rope, refuse) };
  },
  hubFields: (config) => ({
    hidden_act: 'silu',
    ...ropeFields(config.rope),
    attention_bias: false,
    ...qwenSlidingFields(config),
  }),
};
