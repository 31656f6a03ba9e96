/** Activations' memory, used again from pass to pass: what JavaScript throws away stays resident until it is collected. */

import { type Floats, type FloatType, zeros } from './floats.ts';

export class BufferPool {
  private readonly dtype: FloatType;
  private readonly expectedRows: number;
  /** Whole buffers that nobody uses, by the width of their rows. */
  private readonly free = new Map<number, Floats[]>();

  /**
   * @param expectedRows of the largest pass that is to come, so that its buffers need not replace smaller ones; memory
   *   that is never touched is never resident
   */
  constructor(dtype: FloatType, expectedRows = 0) {
    this.dtype = dtype;
    this.expectedRows = expectedRows;
  }

  /** A matrix `[rows, width]` whose values are whatever they were. */
  take(rows: number, width: number): Floats {
    const free = this.free.get(width) ?? [];
    const fitting = free.findIndex(({ length }) => length >= rows * width);
    // Where none fits, one that is too small makes way.
    const [buffer] = free.splice(fitting === -1 ? 0 : fitting, 1);
    const whole = buffer && fitting !== -1 ? buffer : zeros(this.dtype, Math.max(rows, this.expectedRows) * width);
    return whole.subarray(0, rows * width);
  }

  /** A matrix of zeros. */
  takeZeros(rows: number, width: number): Floats {
    return this.take(rows, width).fill(0);
  }

  /** Gives a matrix back that was taken with this width. What is not given back is left to the garbage collector. */
  give(width: number, ...matrices: readonly Floats[]): void {
    const free = this.free.get(width) ?? [];
    for (const { buffer } of matrices) {
      free.push(this.dtype === 'float64' ? new Float64Array(buffer) : new Float32Array(buffer));
    }
    this.free.set(width, free);
  }
}
