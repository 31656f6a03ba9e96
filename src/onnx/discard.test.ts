import { expect, it } from 'vitest';
import { discard } from './discard.ts';

it('frees the memory of tensors at once, whatever shares it', () => {
  const buffer = new ArrayBuffer(32);
  const whole = { dtype: 'float32', shape: [8], data: new Float32Array(buffer) } as const;
  const part = { dtype: 'float32', shape: [2], data: new Float32Array(buffer, 8, 2) } as const;
  const other = { dtype: 'int8', shape: [3], data: new Int8Array(3) } as const;
  discard([whole, part]);
  expect([whole.data.length, part.data.length, buffer.byteLength, other.data.length]).toEqual([0, 0, 0, 3]);
  discard([]);
});

it('keeps no memory behind', () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 200; i++) discard([{ dtype: 'float32', shape: [2 ** 18], data: new Float32Array(2 ** 18) }]);
  // 200 MB in all.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20e6);
});
