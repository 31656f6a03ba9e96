/** Row-major activations in the engine's type: float32, or float64 in tests. */

import type { Tensor } from '../graph/value.ts';

export type Floats = Float32Array | Float64Array;
export type FloatType = 'float32' | 'float64';

export function zeros(dtype: FloatType, length: number): Floats {
  return dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
}

export function toTensor(data: Floats, shape: readonly number[]): Tensor {
  return { dtype: data instanceof Float64Array ? 'float64' : 'float32', shape, data };
}

/** Rows `start` to `start + rows` of a matrix of `width` columns, as a view. */
export function rowsOf(all: Floats, start: number, rows: number, width: number): Tensor {
  return toTensor(all.subarray(start * width, (start + rows) * width), [rows, width]);
}

/** Adds `length` values of `part`, from `from` on, to those of `sum` at `at`. */
export function addTo(sum: Floats, at: number, part: Floats, from: number, length: number): void {
  for (let i = 0; i < length; i++) sum[at + i]! += part[from + i]!;
}
