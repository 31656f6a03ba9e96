import { describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

describe('BufferPool', () => {
  it('hands out memory that was given back, also for fewer rows', () => {
    const pool = new BufferPool('float32');
    const matrix = pool.take(4, 3);
    expect(matrix.length).toBe(12);
    pool.give(3, matrix);
    const smaller = pool.take(2, 3);
    expect(smaller.length).toBe(6);
    expect(smaller.buffer).toBe(matrix.buffer);
    pool.give(3, smaller);
    expect(pool.take(4, 3).buffer).toBe(matrix.buffer);
  });

  it('never hands out what is in use, nor what has rows of another width', () => {
    const pool = new BufferPool('float32');
    const matrix = pool.take(4, 3);
    expect(pool.take(4, 3).buffer).not.toBe(matrix.buffer);
    pool.give(3, matrix);
    expect(pool.take(1, 12).buffer).not.toBe(matrix.buffer);
  });

  it('lets a matrix that is too small make way', () => {
    const pool = new BufferPool('float64');
    const matrix = pool.take(2, 3);
    pool.give(3, matrix);
    expect(pool.take(4, 3)).toEqual(new Float64Array(12));
    expect(pool.take(2, 3).buffer).not.toBe(matrix.buffer);
  });

  it('makes room for the rows that are expected', () => {
    const pool = new BufferPool('float32', 10);
    const matrix = pool.take(2, 3);
    pool.give(3, matrix);
    expect(pool.take(10, 3).buffer).toBe(matrix.buffer);
  });

  it('clears where zeros are asked for', () => {
    const pool = new BufferPool('float32');
    pool.give(3, pool.take(2, 3).fill(7));
    expect([...pool.takeZeros(2, 3)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
