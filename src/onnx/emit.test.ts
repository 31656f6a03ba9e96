import { describe, expect, it } from 'vitest';
import { readModel } from '../../test/onnx-reader.ts';
import { gradient } from '../graph/gradient.ts';
import { GraphBuilder, type Value } from '../graph/graph.ts';
import type { Tensor } from '../graph/value.ts';
import { type EmittedGraph, emitGraph } from './emit.ts';
import { createSession } from './session.ts';

const ops = ({ bytes }: EmittedGraph) => readModel(bytes).nodes.map((node) => node.op);
const vector = (...data: number[]): Tensor => ({
  dtype: 'float32',
  shape: [data.length],
  data: Float32Array.from(data),
});

async function run({ bytes }: EmittedGraph, feeds: Readonly<Record<string, Tensor>>) {
  const session = await createSession(bytes, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe('emitGraph()', () => {
  it('emits what the outputs need, and names inputs and outputs', async () => {
    const g = new GraphBuilder();
    const [x, y] = [g.input('x', 'float32', [2]), g.input('y', 'float32', [2])];
    const sum = g.op('Add', [x, x]);
    g.op('Mul', [sum, y]);
    const emitted = emitGraph(g, { sum, negative: g.op('Neg', [sum]) });
    expect(emitted.inputs).toEqual(['x']);
    expect(emitted.outputs).toEqual(['sum', 'negative']);
    expect(readModel(emitted.bytes)).toMatchObject({ inputs: ['x'], outputs: ['sum', 'negative'], initializers: [] });
    expect(ops(emitted)).toEqual(['Add', 'Neg']);
    const { sum: found, negative } = await run(emitted, { x: vector(1, 2) });
    expect([found!.data, negative!.data]).toEqual([Float32Array.of(2, 4), Float32Array.of(-2, -4)]);
  });

  it('takes outputs that are inputs, constants, or one value twice', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1]);
    const y = g.op('Neg', [x]);
    const found = await run(emitGraph(g, { same: x, two: g.scalar(2, 'float32'), a: y, b: y }), { x: vector(3) });
    const data = Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, tensor.data[0]]));
    expect(data).toEqual({ same: 3, two: 2, a: -3, b: -3 });
  });

  it('shares equal constants and int64 lists', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [4]);
    const two = g.scalar(2, 'float32');
    const parts = [0, 1].map((i) => g.op('Slice', [g.op('Mul', [x, two])], { axis: 0, start: i, end: i + 1 }));
    const { initializers } = readModel(emitGraph(g, { y: g.op('Mul', [g.op('Add', parts as Value[]), two]) }).bytes);
    expect(initializers).toHaveLength(4); // 2, [0], [1], [2]
  });

  it('keeps its own names apart from those of inputs', async () => {
    const g = new GraphBuilder();
    const names = ['v0', 'v1', 'v2', 'c3', 'c4', 'i64_0'];
    const sum = names
      .map((name) => g.input(name, 'float32', [1]))
      .reduce((a, b) => g.op('Add', [a, g.op('Mul', [b, g.scalar(2, 'float32')])]));
    const feeds = Object.fromEntries(names.map((name) => [name, vector(1)]));
    expect((await run(emitGraph(g, { v9: sum }), feeds)).v9!.data).toEqual(Float32Array.of(11));
  });

  it('lowers composites where ONNX lacks them', () => {
    const g = new GraphBuilder();
    const norm = (dtype: 'float32' | 'float64') =>
      g.op('SimplifiedLayerNormalization', [g.input(`x.${dtype}`, dtype, [2, 3]), g.input(`w.${dtype}`, dtype, [3])], {
        epsilon: 1e-5,
      });
    expect(ops(emitGraph(g, { y: norm('float32') }))).toEqual(['SimplifiedLayerNormalization']);
    expect(ops(emitGraph(g, { y: norm('float64') }))).not.toContain('SimplifiedLayerNormalization');
  });

  it('emits nodes shared by a lowered forward and its derivative once', () => {
    const g = new GraphBuilder();
    const inputs = ['q', 'k', 'v'].map((name) => g.input(name, 'float32', [4, 2]));
    const o = g.op('CausalAttention', [...inputs, g.input('mask', 'float32', [4, 4])], {
      heads: 1,
      kvHeads: 1,
      block: 4,
      scale: 0.5,
    });
    const [dq] = gradient(g, [o], [g.input('do', 'float32', [4, 2])], inputs);
    expect(ops(emitGraph(g, { o, dq: dq! })).filter((op) => op === 'Softmax')).toHaveLength(1);
  });
});

describe('emitGraph() with given values', () => {
  /** x -> Exp -> Tanh -> Neg, with a cut at the Tanh. */
  function chain() {
    const g = new GraphBuilder();
    const kept = g.op('Tanh', [g.op('Exp', [g.input('x', 'float32', [2])])]);
    return { g, kept, y: g.op('Neg', [kept]) };
  }

  it('takes a kept value as an input, and leaves out what made it', async () => {
    const { g, kept, y } = chain();
    const emitted = emitGraph(g, { y }, { kept });
    expect(emitted.inputs).toEqual(['kept']);
    expect(ops(emitted)).toEqual(['Neg']);
    expect((await run(emitted, { kept: vector(5, 6) })).y!.data).toEqual(Float32Array.of(-5, -6));
  });

  it('still emits what made it where something else needs that', () => {
    const { g, kept, y } = chain();
    const exp = kept.source.kind === 'node' ? kept.source.node.inputs[0]! : kept;
    const emitted = emitGraph(g, { exp, y }, { kept });
    expect([...emitted.inputs].sort()).toEqual(['kept', 'x']);
    expect(ops(emitted)).toEqual(['Exp', 'Neg']);
  });

  it('asks for no given value that nothing needs', () => {
    const { g, kept, y } = chain();
    expect(emitGraph(g, { y }, { kept, unused: g.op('Abs', [kept]) }).inputs).toEqual(['kept']);
  });

  it('passes an output that is given', async () => {
    const { g, kept } = chain();
    const emitted = emitGraph(g, { y: kept }, { kept });
    expect(ops(emitted)).toEqual(['Identity']);
    expect((await run(emitted, { kept: vector(5, 6) })).y!.data).toEqual(Float32Array.of(5, 6));
  });

  it('cuts inside what a composite stands for', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float64', [2, 3]);
    const [y, r] = g.apply('SimplifiedLayerNormalization', [x, g.input('w', 'float64', [3])], { epsilon: 1e-5 });
    const [dx] = gradient(g, [y!], [g.input('dy', 'float64', [2, 3])], [x]);
    const emitted = emitGraph(g, { dx: dx! }, { r: r! });
    expect([...emitted.inputs].sort()).toEqual(['dy', 'r', 'w', 'x']);
    expect(ops(emitted)).not.toContain('Log');
  });

  it('refuses two different inputs of one name', () => {
    const { g, kept, y } = chain();
    const both = g.op('Add', [y, g.input('x', 'float32', [2])]);
    expect(() => emitGraph(g, { both }, { x: kept })).toThrow('two inputs are called x');
  });

  it('refuses a graph whose stored types are wrong', () => {
    const { g, kept, y } = chain();
    Object.assign(kept, { shape: [3] });
    expect(() => emitGraph(g, { y })).toThrow('Tanh stored f32[3]');
  });
});
