/** Llama (arXiv 2302.13971, 2307.09288): SmolLM2, TinyLlama, Llama 3. Grouped queries, SwiGLU, rotary halves as on the hub. */

import type { Wiring } from '../config.ts';
import { readRope, ropeFields } from '../hub-rope.ts';
import type { Rope } from '../rope.ts';
import type { Family } from './family.ts';

/** The plain decoder, which the other families change in places. */
export function plainWiring(headDim: number, rope: Rope): Wiring {
  return {
    qkvBias: false,
    headNorms: false,
    outputNorms: false,
    normOffset: 0,
    activation: 'silu',
    embeddingScale: 1,
    scoreScale: 1 / Math.sqrt(headDim),
    rope,
    sliding: undefined,
  };
}

export const llama: Family = {
  name: 'llama',
  architecture: 'LlamaForCausalLM',
  defaults: {},
  wiring(hub, headDim, refuse) {
    if (hub.hidden_act !== 'silu') refuse('hidden_act', hub.hidden_act);
    if (hub.attention_bias) refuse('attention_bias', true);
    return plainWiring(headDim, readRope(hub, refuse));
  },
  hubFields: ({ rope }) => ({ hidden_act: 'silu', ...ropeFields(rope), attention_bias: false, mlp_bias: false }),
};
