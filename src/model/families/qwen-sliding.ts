/** Which layers of a Qwen model see a window: those from max_window_layers on, and only where it is switched on. */

import type { ModelConfig, SlidingAttention } from '../config.ts';
import type { HubFields } from '../hub-fields.ts';
import type { Rope } from '../rope.ts';
import type { Refuse } from './family.ts';
import { LAYER_TYPES, slidingLayers } from './sliding-layers.ts';

/** max_window_layers where config.json leaves it out. */
const FIRST_WINDOW_LAYER = 28;

export function qwenSliding(hub: HubFields, rope: Rope, refuse: Refuse): SlidingAttention | undefined {
  const first = hub.max_window_layers ?? FIRST_WINDOW_LAYER;
  const layers = slidingLayers(hub, (layer) => hub.use_sliding_window && layer >= first, refuse);
  if (!layers.includes(true)) return undefined;
  return { window: hub.sliding_window ?? refuse('sliding_window', null), rope, layers };
}

export function qwenSlidingFields({ layers, sliding }: ModelConfig): Record<string, unknown> {
  if (!sliding) return { use_sliding_window: false, sliding_window: null, max_window_layers: layers };
  return {
    use_sliding_window: true,
    sliding_window: sliding.window,
    max_window_layers: sliding.layers.indexOf(true),
    layer_types: sliding.layers.map((slides) => LAYER_TYPES[slides ? 1 : 0]),
  };
}
