/**
 * Activations of attention in memory: the matrix `[rows, width]` of each key head, one behind the other, so that heads are
 * tasks that read and write memory of their own.
 */

import type { Tensor } from '../graph/value.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type Floats, rowsOf } from './floats.ts';

export class Heads {
  /** All heads' matrices, of the pool. */
  readonly data: Floats;
  readonly count: number;
  readonly rows: number;
  /** Columns of a head's matrix. */
  readonly width: number;
  private readonly pool: BufferPool;

  /** Matrices whose values are whatever they were. */
  constructor(pool: BufferPool, count: number, rows: number, width: number) {
    this.pool = pool;
    this.count = count;
    this.rows = rows;
    this.width = width;
    this.data = pool.take(rows, count * width);
  }

  /** All heads of some rows as graphs name them: `<name>.<head>`. */
  named(name: string, start: number, rows: number): Record<string, Tensor> {
    return Object.fromEntries(
      Array.from({ length: this.count }, (_, head) => [`${name}.${head}`, this.of(head, start, rows)]),
    );
  }

  /** Some rows of one head. */
  of(head: number, start: number, rows: number): Tensor {
    return rowsOf(this.data, head * this.rows + start, rows, this.width);
  }

  /** Zeros in all rows from `start` on. */
  clear(start = 0): void {
    for (let head = 0; head < this.count; head++) {
      this.data.fill(0, (head * this.rows + start) * this.width, (head + 1) * this.rows * this.width);
    }
  }

  give(): void {
    this.pool.give(this.count * this.width, this.data);
  }
}
