import { expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';
import { Heads } from './heads.ts';

const pool = () => new BufferPool('float32');

it('lays the matrix of each head behind the one before', () => {
  const heads = new Heads(pool(), 2, 3, 2);
  heads.data.set(Float32Array.from({ length: 12 }, (_, i) => i));
  expect(heads.of(1, 1, 2)).toEqual({ dtype: 'float32', shape: [2, 2], data: Float32Array.of(8, 9, 10, 11) });
  const { 'q.0': first, 'q.1': second } = heads.named('q', 2, 1);
  expect([...first!.data, ...second!.data]).toEqual([4, 5, 10, 11]);
});

it('is written through its views, and cleared from a row on in all heads', () => {
  const heads = new Heads(pool(), 2, 3, 1);
  heads.data.fill(7);
  (heads.of(1, 0, 1).data as Float32Array)[0] = 5;
  heads.clear(1);
  expect([...heads.data]).toEqual([7, 0, 0, 5, 0, 0]);
});

it('gives its memory back to the pool', () => {
  const from = pool();
  const heads = new Heads(from, 2, 3, 4);
  expect(new Heads(from, 2, 3, 4).data.buffer).not.toBe(heads.data.buffer);
  heads.give();
  expect(new Heads(from, 2, 3, 4).data.buffer).toBe(heads.data.buffer);
});
