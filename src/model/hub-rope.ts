/** Rotary settings of config.json, in the spelling of transformers 4 and 5. */

import type { Refuse } from './families/family.ts';
import type { HubFields, RopeParameters } from './hub-fields.ts';
import type { Rope, RopeScaling } from './rope.ts';

const DEFAULT_THETA = 10_000;

/** Base and scaling that all layers share. */
export function readRope(hub: HubFields, refuse: Refuse): Rope {
  const { rope_parameters: joined, rope_scaling: scaling } = hub;
  return {
    theta: joined?.rope_theta ?? hub.rope_theta ?? DEFAULT_THETA,
    scaling: readScaling(hub, joined ?? scaling ?? undefined, refuse),
  };
}

/** @throws what `refuse` throws, where the scaling is of another kind or lacks a number */
export function readScaling(
  hub: HubFields,
  given: RopeParameters | undefined,
  refuse: Refuse,
): RopeScaling | undefined {
  const type = given?.rope_type ?? given?.type ?? 'default';
  if (!given || type === 'default') return undefined;
  const field = hub.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const number = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number =>
    given[name] ?? refuse(`${field}.${name}`, null);
  if (type === 'linear') return { type, factor: number('factor') };
  if (type !== 'llama3') return refuse(`${field}.rope_type`, type);
  return {
    type,
    factor: number('factor'),
    lowFrequencyFactor: number('low_freq_factor'),
    highFrequencyFactor: number('high_freq_factor'),
    originalMaxPositions: given.original_max_position_embeddings ?? hub.max_position_embeddings,
  };
}

/** rope_theta and rope_scaling, which transformers 4 and 5 and transformers.js read alike. */
export function ropeFields({ theta, scaling }: Rope): Record<string, unknown> {
  return { rope_theta: theta, rope_scaling: scaling ? scalingFields(scaling) : null };
}

function scalingFields(scaling: RopeScaling): Record<string, unknown> {
  const { type, factor } = scaling;
  if (type === 'linear') return { rope_type: type, factor };
  return {
    rope_type: type,
    factor,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalMaxPositions,
  };
}
