import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../graph/value.ts';
import { encodeModel, type OnnxModel, type OnnxNode } from './model-proto.ts';
import { createSession } from './session.ts';

const IDENTITY: OnnxModel = {
  name: 'g',
  nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [2] }],
  initializers: [],
};

const floats = (shape: number[], ...data: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});

async function run(model: OnnxModel | string, feeds: Readonly<Record<string, Tensor>>) {
  const session = await createSession(typeof model === 'string' ? model : encodeModel(model), { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** The values of y = node(x), with the given initializers. */
async function apply(node: Omit<OnnxNode, 'outputs'>, x: Tensor, initializers: OnnxModel['initializers'] = []) {
  const { y } = await run(
    {
      ...IDENTITY,
      nodes: [{ ...node, outputs: ['y'] }],
      inputs: [{ name: 'x', dtype: x.dtype, shape: x.shape }],
      outputs: [{ name: 'y', dtype: x.dtype, shape: x.shape.map((_, i) => `d${i}`) }],
      initializers,
    },
    { x },
  );
  return Array.from(y!.data as Float32Array);
}

describe('encodeModel()', () => {
  it('writes the bytes that onnx.proto prescribes', () => {
    // Field numbers: ModelProto 1 ir_version, 2 producer_name, 7 graph, 8 opset_import; GraphProto 1 node, 2 name,
    // 11 input, 12 output; NodeProto 1 input, 2 output, 4 op_type; ValueInfoProto 1 name, 2 type.
    const type = ['0a08', '0801', '1204', '0a02', '0802'].join(''); // tensor_type { elem_type: 1, shape { dim { 2 } } }
    const node = ['0a0178', '120179', '2208', Buffer.from('Identity').toString('hex')].join('');
    const graph = [
      ['0a10', node].join(''),
      '120167', // 'g'
      ['5a0f', '0a0178', '120a', type].join(''),
      ['620f', '0a0179', '120a', type].join(''),
    ].join('');
    const model = [
      '080a',
      ['120b', Buffer.from('mga-distill').toString('hex')].join(''),
      ['3a37', graph].join(''),
      ['4204', '0a00', '1015'].join(''), // '' 21
      ['4211', '0a0d', Buffer.from('com.microsoft').toString('hex'), '1001'].join(''),
    ].join('');
    expect(Buffer.from(encodeModel(IDENTITY)).toString('hex')).toBe(model);
  });

  it('loads and runs', async () => {
    const { y } = await run(IDENTITY, { x: floats([2], 3, -4) });
    expect(y).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(3, -4) });
  });

  it('writes whole, negative, listed, float and text attributes', async () => {
    const x = floats([2, 3], 1, 2, 3, 4, 5, 6);
    expect(await apply({ op: 'Transpose', inputs: ['x'], attributes: { perm: [1, 0] } }, x)).toEqual([
      1, 4, 2, 5, 3, 6,
    ]);
    const zeros = floats([1, 2], 0, 0);
    expect(await apply({ op: 'Softmax', inputs: ['x'], attributes: { axis: -1 } }, zeros)).toEqual([0.5, 0.5]);
    const elu = { op: 'Elu', inputs: ['x'], attributes: { alpha: { float: 2 } } };
    expect(await apply(elu, floats([1], -100))).toEqual([-2]);
    const pads = { name: 'pads', dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, 2n) } as const;
    const edge = { op: 'Pad', inputs: ['x', 'pads'], attributes: { mode: 'edge' } };
    expect(await apply(edge, floats([2], 7, 8), [pads])).toEqual([7, 7, 8, 8, 8]);
  });

  it('leaves optional inputs out', async () => {
    const max = { ...floats([], 1), name: 'max' };
    expect(await apply({ op: 'Clip', inputs: ['x', '', 'max'] }, floats([2], -5, 5), [max])).toEqual([-5, 1]);
  });

  it('lets symbolic dimensions take any size', async () => {
    const shape = ['rows', 2];
    const model: OnnxModel = {
      ...IDENTITY,
      inputs: [{ name: 'x', dtype: 'float32', shape }],
      outputs: [{ name: 'y', dtype: 'float32', shape }],
    };
    for (const rows of [1, 3]) {
      expect((await run(model, { x: floats([rows, 2], ...Array(rows * 2).fill(1)) })).y!.shape).toEqual([rows, 2]);
    }
  });

  const tensors: readonly Tensor[] = [
    { dtype: 'float32', shape: [2], data: Float32Array.of(0.1, -1e30) },
    { dtype: 'float64', shape: [2], data: Float64Array.of(0.1, 1e300) },
    { dtype: 'int8', shape: [3], data: Int8Array.of(-128, 0, 127) },
    { dtype: 'uint8', shape: [2], data: Uint8Array.of(0, 255) },
    { dtype: 'int32', shape: [1], data: Int32Array.of(-(2 ** 31)) },
    { dtype: 'int64', shape: [1, 1], data: BigInt64Array.of(-(2n ** 63n)) },
    { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) },
    { dtype: 'float32', shape: [], data: Float32Array.of(2) },
    // A view into a larger buffer: its own bytes alone are written.
    { dtype: 'float32', shape: [2], data: new Float32Array([9, 1, 2, 9]).subarray(1, 3) },
  ];

  it.each(tensors.map((tensor) => [tensor.dtype, tensor] as const))('keeps %s initializers', async (dtype, tensor) => {
    const model: OnnxModel = {
      ...IDENTITY,
      inputs: [],
      outputs: [{ name: 'y', dtype, shape: tensor.shape }],
      initializers: [{ ...tensor, name: 'x' }],
    };
    const { y } = await run(model, {});
    expect(y).toEqual(tensor);
  });

  it('points to external data beside the model file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'model-proto-'));
    try {
      const external = { location: 'weights.bin', offset: 4, length: 8 };
      const model: OnnxModel = {
        ...IDENTITY,
        inputs: [],
        initializers: [{ name: 'x', dtype: 'float32', shape: [2], external }],
      };
      await writeFile(join(folder, 'model.onnx'), encodeModel(model));
      await writeFile(join(folder, 'weights.bin'), new Uint8Array(Float32Array.of(9, 1.5, -2.5, 9).buffer));
      expect((await run(join(folder, 'model.onnx'), {})).y!.data).toEqual(Float32Array.of(1.5, -2.5));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
