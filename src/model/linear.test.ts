import { describe, expect, it } from 'vitest';
import '../../test/matchers.ts';
import { readModel } from '../../test/onnx-reader.ts';
import { drawNormal, int8Weight } from '../../test/op-case.ts';
import { type Dense, evaluate, int8MatMul, toDense } from '../../test/reference.ts';
import { gradient } from '../graph/gradient.ts';
import { GraphBuilder, type Value } from '../graph/graph.ts';
import type { Tensor } from '../graph/value.ts';
import { emitGraph } from '../onnx/emit.ts';
import { createSession } from '../onnx/session.ts';
import { jointParameters } from './joint-parameters.ts';
import { type LinearGroup, linear, loraShapes, outputsOf } from './linear.ts';

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

/** The rows of a tensor whose first axis is the group's outputs, part by part. */
function partsOf({ dtype, shape, data }: Tensor, kind: string, width: number): Record<string, Tensor> {
  let start = 0;
  return Object.fromEntries(
    GROUP.parts.map(({ name, outputs }): [string, Tensor] => {
      const own = (data as Float64Array).subarray(start * width, (start + outputs) * width);
      start += outputs;
      return [`${name}.${kind}`, { dtype, shape: [outputs, ...shape.slice(1)], data: own }];
    }),
  );
}

const INT8 = int8Weight(GROUP.inputs, 9, 'linear');

/** The parts of INT8. */
function int8Parts(): Record<string, Tensor> {
  const { w, scale, back, backScale } = INT8;
  let start = 0;
  const codes = GROUP.parts.map(({ name, outputs }): [string, Tensor] => {
    const { shape, data } = columns(toDense(w), start, outputs);
    start += outputs;
    return [`${name}.int8`, { dtype: 'int8', shape, data: Int8Array.from(data) }];
  });
  return {
    ...Object.fromEntries(codes),
    ...partsOf(scale, 'scale', 1),
    ...partsOf(back, 'back.int8', GROUP.inputs),
    ...Object.fromEntries(GROUP.parts.map(({ name }) => [`${name}.back.scale`, backScale])),
  };
}

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

/** `width` columns of a matrix from `start` on. */
function columns({ shape: [rows, all], data }: Dense, start: number, width: number): Dense {
  return {
    shape: [rows!, width],
    data: Float64Array.from(
      { length: rows! * width },
      (_, i) => data[Math.floor(i / width) * all! + start + (i % width)]!,
    ),
  };
}

/** The parts' values, from `expected[row * 9 + output]`. */
function toBeParts(found: readonly Dense[], expected: Float64Array): void {
  let start = 0;
  expect(found.length).toBe(3);
  for (const [i, { outputs }] of GROUP.parts.entries()) {
    expect(found[i]!).toBeNearTensor(columns({ shape: [ROWS, 9], data: expected }, start, outputs), 1e-14);
    start += outputs;
  }
}

describe('linear()', () => {
  it('is x W^T + bias + scale (x A) B of each part, each with its own columns of A', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float64', x.shape);
    const group = { ...GROUP, bias: true };
    const ys = linear(g, input, group, { precision: 'f32', dtype: 'float64', lora: { rank: RANK, scale: SCALE } });
    const weight = draw('weight', [outputsOf(GROUP), GROUP.inputs]);
    const bias = draw('bias', [outputsOf(GROUP)]);
    const parts = partsOf(weight, 'weight', GROUP.inputs);
    const found = evaluate(ys, dense({ x, ...parts, ...partsOf(bias, 'bias', 1), ...lora }));
    const expected = Float64Array.from({ length: ROWS * 9 }, (_, at) => {
      const [row, output] = [Math.floor(at / 9), at % 9];
      let sum = beside(row, output) + Number(bias.data[output]);
      for (let i = 0; i < GROUP.inputs; i++) {
        sum += Number(x.data[row * GROUP.inputs + i]) * Number(weight.data[output * GROUP.inputs + i]);
      }
      return sum;
    });
    toBeParts(found, expected);
  });

  it('takes int8 weights with a scale an output, and adds the adapter in f32', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', x.shape);
    const ys = linear(g, input, GROUP, { precision: 'w8a8', lora: { rank: RANK, scale: SCALE } });
    const found = evaluate(ys, dense({ x, ...int8Parts(), ...lora }));
    const base = int8MatMul(toDense(x), toDense(INT8.w), toDense(INT8.scale));
    toBeParts(found, Float64Array.from(base.data.map((value, at) => value + beside(Math.floor(at / 9), at % 9))));
  });

  it('rounds x to codes once for all parts, and each gradient on a grid of its own', () => {
    const g = new GraphBuilder();
    const input = g.input('x', 'float32', x.shape);
    const ys = linear(g, input, GROUP, { precision: 'w8a8' });
    const seeds = ys.map((y, i) => g.input(`dy${i}`, 'float32', y.shape));
    const roundings = (outputs: Record<string, Value>) =>
      readModel(emitGraph(g, outputs).bytes).nodes.filter(({ op }) => op === 'QuantizeLinear').length;
    expect(roundings(Object.fromEntries(ys.entries()))).toBe(1);
    const [dx] = gradient(g, ys, seeds, [input]);
    expect(roundings({ dx: dx! })).toBe(3);
  });

  it.each(['f32', 'w8a8'] as const)('gives the same bits in joint products, of %s weights', async (precision) => {
    const single = (tensors: Record<string, Tensor>) =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, { dtype, shape, data }]): [string, Tensor] => [
          name,
          dtype === 'int8'
            ? { dtype, shape, data }
            : { dtype: 'float32', shape, data: Float32Array.from(data as Float64Array) },
        ]),
      );
    const weights =
      precision === 'f32' ? partsOf(draw('weight', [9, GROUP.inputs]), 'weight', GROUP.inputs) : int8Parts();
    const group = { ...GROUP, bias: true };
    const parameters = single({ ...weights, ...partsOf(draw('bias', [9]), 'bias', 1), ...lora });
    const run = async (joint: boolean) => {
      const g = new GraphBuilder();
      const settings = { precision, lora: { rank: RANK, scale: SCALE }, joint } as const;
      const ys = linear(g, g.input('x', 'float32', x.shape), group, settings);
      const session = await createSession(emitGraph(g, Object.fromEntries(ys.entries())).bytes, { threads: 1 });
      const own = joint ? jointParameters([group], parameters) : parameters;
      const outputs = await session.run({ ...single({ x }), ...own });
      await session.release();
      return ys.map((_, i) => outputs[i]!.data);
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('reads no adapter where there is none', () => {
    const g = new GraphBuilder();
    const [q, k, v] = linear(g, g.input('x', 'float32', x.shape), GROUP, { precision: 'f32' });
    const { inputs } = emitGraph(g, { q: q!, k: k!, v: v! });
    expect([...inputs].sort()).toEqual(['k.weight', 'q.weight', 'v.weight', 'x']);
  });
});
