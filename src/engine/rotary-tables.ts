/** Angles of the rotary position embedding (arXiv 2104.09864), one row a token. */

import type { Tensor } from '../graph/value.ts';
import type { ModelConfig } from '../model/config.ts';
import { type Floats, type FloatType, toTensor, zeros } from './floats.ts';

/** cos and sin `[rows, headDim / 2]`. */
export interface RotaryTables {
  readonly cos: Floats;
  readonly sin: Floats;
  readonly half: number;
}

/** cos and sin of position * theta^(-2 i / d), i < d / 2. */
export function rotaryTables(
  positions: Int32Array,
  { headDim, ropeTheta }: ModelConfig,
  dtype: FloatType,
): RotaryTables {
  const half = headDim / 2;
  const frequencies = Array.from({ length: half }, (_, i) => ropeTheta ** ((-2 * i) / headDim));
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

/** The graph inputs cos and sin `[rows, 1, headDim / 2]` of a block of rows. */
export function rotaryRows(
  { cos, sin, half }: RotaryTables,
  start: number,
  rows: number,
): { cos: Tensor; sin: Tensor } {
  const part = (all: Floats) => toTensor(all.subarray(start * half, (start + rows) * half), [rows, 1, half]);
  return { cos: part(cos), sin: part(sin) };
}
