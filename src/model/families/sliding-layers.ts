/** Layers with a sliding window, as config.json lists them or as a family's rule has them. */

import type { HubFields } from '../hub-fields.ts';
import type { Refuse } from './family.ts';

/** Values of layer_types: sees all, sees a window. */
export const LAYER_TYPES = ['full_attention', 'sliding_attention'] as const;

/** Of each layer, whether it slides. @param rule what holds where config.json has no layer_types */
export function slidingLayers(hub: HubFields, rule: (layer: number) => boolean, refuse: Refuse): boolean[] {
  const { layer_types: types, num_hidden_layers: layers } = hub;
  if (!types) return Array.from({ length: layers }, (_, layer) => rule(layer));
  if (types.length !== layers) refuse('layer_types', types);
  return types.map((type) => {
    if (type !== LAYER_TYPES[0] && type !== LAYER_TYPES[1]) refuse('layer_types', type);
    return type === LAYER_TYPES[1];
  });
}
