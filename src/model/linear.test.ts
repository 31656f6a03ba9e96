import { describe, expect, it } from 'vitest';
import '../../test/matchers.ts';
import { drawNormal, int8Weight } from '../../test/op-case.ts';
import { evaluate, int8MatMul, toDense } from '../../test/reference.ts';
import { GraphBuilder } from '../graph/graph.ts';
import type { Tensor } from '../graph/value.ts';
import { emitGraph } from '../onnx/emit.ts';
import { createSession } from '../onnx/session.ts';
import { jointB, type LinearGroup, linear, loraShapes, outputsOf } from './linear.ts';

const GROUP: LinearGroup = {
  name: 'qkv',
  inputs: 5,
  bias: false,
  parts: [
    { name: 'q', outputs: 4 },
    { name: 'k', outputs: 2 },
    { name: 'v', outputs: 3 },
  ],
};
const RANK = 2;
const SCALE = 1.5;
const ROWS = 3;

const draw = (name: string, shape: readonly number[]) => drawNormal(shape, 'float64', 'linear', name);
const dense = (feeds: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toDense(tensor)]));

const x = draw('x', [ROWS, GROUP.inputs]);
const lora = Object.fromEntries(
  Object.entries(loraShapes(GROUP, RANK)).map(([name, shape]) => [name, draw(name, shape)]),
);

/** scale (x A_part) B_part of every part, side by side, from the definition. */
function beside(row: number, output: number): number {
  let first = 0;
  const index = GROUP.parts.findIndex((part) => {
    if (output < first + part.outputs) return true;
    first += part.outputs;
    return false;
  });
  const part = GROUP.parts[index]!;
  const a = lora['qkv.A']!.data as Float64Array;
  const b = lora[`qkv.B.${part.name}`]!.data as Float64Array;
  let sum = 0;
  for (let r = 0; r < RANK; r++) {
    for (let i = 0; i < GROUP.inputs; i++) {
      const value = (x.data as Float64Array)[row * GROUP.inputs + i]!;
      sum += value * a[i * RANK * 3 + index * RANK + r]! * b[r * part.outputs + output - first]!;
    }
  }
  return SCALE * sum;
}

describe('loraShapes()', () => {
  it('has one A for the inputs the parts share, and one B a part', () => {
    expect(loraShapes(GROUP, RANK)).toEqual({
      'qkv.A': [5, 6],
      'qkv.B.q': [2, 4],
      'qkv.B.k': [2, 2],
      'qkv.B.v': [2, 3],
    });
  });
});

describe('linear()', () => {
  it('is x W^T + scale (x A) B, each part with its own columns of A and its own B', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float64', x.shape);
    const y = linear(g, input, GROUP, { precision: 'f32', dtype: 'float64', lora: { rank: RANK, scale: SCALE } });
    const weight = draw('weight', [outputsOf(GROUP), GROUP.inputs]);
    const [found] = evaluate([y], dense({ x, 'qkv.weight': weight, ...lora }));
    const expected = Float64Array.from({ length: ROWS * 9 }, (_, at) => {
      const [row, output] = [Math.floor(at / 9), at % 9];
      let sum = beside(row, output);
      for (let i = 0; i < GROUP.inputs; i++) {
        sum += Number(x.data[row * GROUP.inputs + i]) * Number(weight.data[output * GROUP.inputs + i]);
      }
      return sum;
    });
    expect(found).toBeNearTensor({ shape: [ROWS, 9], data: expected }, 1e-14);
  });

  it('takes int8 weights with a scale an output, and adds the adapter in f32', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', x.shape);
    const y = linear(g, input, GROUP, { precision: 'w8a8', lora: { rank: RANK, scale: SCALE } });
    const { w, transposed, scale } = int8Weight(GROUP.inputs, 9, 'linear');
    const int8 = { 'qkv.int8': w, 'qkv.int8t': transposed, 'qkv.scale': scale };
    const [found] = evaluate([y], dense({ x, ...int8, ...lora }));
    const base = int8MatMul(toDense(x), toDense(w), toDense(scale));
    const expected = base.data.map((value, at) => value + beside(Math.floor(at / 9), at % 9));
    expect(found).toBeNearTensor({ shape: [ROWS, 9], data: expected }, 1e-14);
  });

  it('gives the same bits with the B matrices of all parts in one, which jointB() makes', async () => {
    const narrow = ({ shape, data }: Tensor): Tensor => ({
      dtype: 'float32',
      shape,
      data: Float32Array.from(data as Float64Array),
    });
    const adapter = Object.fromEntries(Object.entries(lora).map(([name, tensor]) => [name, narrow(tensor)]));
    const weight = narrow(draw('weight', [outputsOf(GROUP), GROUP.inputs]));
    const product = async (joint: boolean) => {
      const g = new GraphBuilder();
      const settings = { precision: 'f32', lora: { rank: RANK, scale: SCALE, joint } } as const;
      const y = linear(g, g.input('x', 'float32', x.shape), GROUP, settings);
      const session = await createSession(emitGraph(g, { y }).bytes, { threads: 1 });
      const parameters = joint ? jointB([GROUP], adapter, RANK) : adapter;
      const outputs = await session.run({ x: narrow(x), 'qkv.weight': weight, ...parameters });
      await session.release();
      return outputs.y!.data;
    };
    expect(await product(true)).toEqual(await product(false));
    expect(Object.keys(jointB([GROUP], adapter, RANK)).sort()).toEqual(['qkv.A', 'qkv.B']);
  });

  it('reads no adapter where there is none', () => {
    const g = new GraphBuilder();
    const y = linear(g, g.input('x', 'float32', x.shape), GROUP, { precision: 'f32' });
    expect([...emitGraph(g, { y }).inputs].sort()).toEqual(['qkv.weight', 'x']);
  });
});
