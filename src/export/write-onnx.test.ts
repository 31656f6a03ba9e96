import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { transposed } from '../model/transposed.ts';
import { encodeModel, type OnnxModel } from '../onnx/model-proto.ts';
import { createSession } from '../onnx/session.ts';
import { writeOnnx } from './write-onnx.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'write-onnx-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SIZE = 1500;
const vector = (name: string, value: number) => ({
  name,
  dtype: 'float32' as const,
  shape: [SIZE],
  data: new Float32Array(SIZE).fill(value),
});

/** y = x + a + b + c; each constant takes 6,000 bytes. */
const model: OnnxModel = {
  name: 'sum',
  nodes: [
    { op: 'Add', inputs: ['x', 'a'], outputs: ['xa'] },
    { op: 'Add', inputs: ['xa', 'b'], outputs: ['xab'] },
    { op: 'Add', inputs: ['xab', 'c'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [SIZE] }],
  initializers: [vector('a', 1), vector('b', 10), vector('c', 100)],
};

async function firstAndLast(path: string): Promise<number[]> {
  const session = await createSession(path);
  const { y } = await session.run({ x: { dtype: 'float32', shape: [1], data: Float32Array.of(1000) } });
  await session.release();
  return [Number(y!.data[0]), Number(y!.data[SIZE - 1])];
}

test('writeOnnx() puts small weights into the file', async () => {
  const path = join(folder, 'model.onnx');
  expect(writeOnnx(path, model)).toBe(0);
  expect(readFileSync(path)).toEqual(Buffer.from(encodeModel(model)));
  expect(existsSync(`${path}_data`)).toBe(false);
});

test('writeOnnx() puts weights that outgrow the file beside it, in files no larger than asked', async () => {
  const path = join(folder, 'model.onnx');
  expect(writeOnnx(path, model, { inside: 10_000, dataFile: 15_000 })).toBe(2);
  expect([`${path}_data`, `${path}_data_1`].map((file) => statSync(file).size)).toEqual([8192 + 6000, 6000]);
  expect(statSync(path).size).toBeLessThan(1000);
  expect(await firstAndLast(path)).toEqual([1111, 1111]);
});

test('transposed() swaps rows and columns of any size', () => {
  expect([...transposed(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
  const [rows, columns] = [70, 45];
  const data = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const turned = transposed(data, rows, columns);
  expect(turned[44 * rows + 69]).toBe(69 * columns + 44);
  expect(transposed(turned, columns, rows)).toEqual(data);
});
