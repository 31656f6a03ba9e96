/** Angles of the rotary position embedding (arXiv 2104.09864), one row a token. */

import type { Tensor } from '../graph/value.ts';
import { layerAttention, type ModelConfig } from '../model/config.ts';
import { type Rope, ropeFrequencies } from '../model/rope.ts';
import { type Floats, type FloatType, toTensor, zeros } from './floats.ts';

/** cos and sin `[rows, headDim / 2]`. */
export interface RotaryTables {
  readonly cos: Floats;
  readonly sin: Floats;
  readonly half: number;
}

/** cos and sin of position * frequency. */
export function rotaryTables(positions: Int32Array, rope: Rope, headDim: number, dtype: FloatType): RotaryTables {
  const half = headDim / 2;
  const frequencies = ropeFrequencies(rope, headDim);
  const cos = zeros(dtype, positions.length * half);
  const sin = zeros(dtype, positions.length * half);
  for (const [row, position] of positions.entries()) {
    for (const [i, frequency] of frequencies.entries()) {
      cos[row * half + i] = Math.cos(position * frequency);
      sin[row * half + i] = Math.sin(position * frequency);
    }
  }
  return { cos, sin, half };
}

/** The tables of each layer; layers of equal rotary settings share theirs. */
export function layerRotaries(positions: Int32Array, config: ModelConfig, dtype: FloatType): RotaryTables[] {
  const known = new Map<Rope, RotaryTables>();
  return Array.from({ length: config.layers }, (_, layer) => {
    const { rope } = layerAttention(config, layer);
    const tables = known.get(rope) ?? rotaryTables(positions, rope, config.headDim, dtype);
    known.set(rope, tables);
    return tables;
  });
}

/** The graph inputs cos and sin `[rows, headDim / 2]` of a block of rows. */
export function rotaryRows(
  { cos, sin, half }: RotaryTables,
  start: number,
  rows: number,
): { cos: Tensor; sin: Tensor } {
  const part = (all: Floats) => toTensor(all.subarray(start * half, (start + rows) * half), [rows, half]);
  return { cos: part(cos), sin: part(sin) };
}
