/** Qwen2 and Qwen2.5 (arXiv 2407.10671): Llama with biases on queries, keys and values. */

import { readRope, ropeFields } from '../hub-rope.ts';
import type { Family } from './family.ts';
import { plainWiring } from './llama.ts';
import { qwenSliding, qwenSlidingFields } from './qwen-sliding.ts';

export const qwen2: Family = {
  name: 'qwen2',
  architecture: 'Qwen2ForCausalLM',
  defaults: { max_position_embeddings: 32_768 },
  wiring(hub, headDim, refuse) {
    if (hub.hidden_act !== 'silu') refuse('hidden_act', hub.hidden_act);
    const rope = readRope(hub, refuse);
    return { ...plainWiring(headDim, rope), qkvBias: true, sliding: qwenSliding(hub, rope, refuse) };
  },
  hubFields: (config) => ({ hidden_act: 'silu', ...ropeFields(config.rope), ...qwenSlidingFields(config) }),
};
