import { expect, describe as group, it } from 'vitest';
import { describe, GraphBuilder, infer, reachableNodes } from './graph.ts';

const matrix = (g: GraphBuilder, name: string, ...shape: number[]) => g.input(name, 'float32', shape);

group('GraphBuilder', () => {
  it('gives the same value for the same op, inputs and attributes', () => {
    const g = new GraphBuilder();
    const x = matrix(g, 'x', 2, 3);
    expect(g.op('Reshape', [x], { shape: [6] })).toBe(g.op('Reshape', [x], { shape: [6] }));
    expect(g.op('Reshape', [x], { shape: [6] })).not.toBe(g.op('Reshape', [x], { shape: [3, 2] }));
    const y = matrix(g, 'y', 2, 3);
    expect(g.op('Sub', [x, y])).not.toBe(g.op('Sub', [y, x]));
    expect(g.op('Sub', [x, y])).not.toBe(g.op('Add', [x, y]));
  });

  it('gives every output of an op, numbered', () => {
    const g = new GraphBuilder();
    const parts = g.apply('Split', [matrix(g, 'x', 2, 5)], { axis: 1, sizes: [2, 3] });
    expect(parts.map(describe)).toEqual(['f32[2,2]', 'f32[2,3]']);
    expect(parts.map(({ source }) => source.kind === 'node' && source.index)).toEqual([0, 1]);
  });

  it('gives one value for an input asked for again, and refuses another type', () => {
    const g = new GraphBuilder();
    expect(matrix(g, 'x', 2)).toBe(matrix(g, 'x', 2));
    expect(() => matrix(g, 'x', 3)).toThrow('input x was f32[2], now f32[3]');
    expect(() => g.input('x', 'float64', [2])).toThrow('now f64[2]');
  });

  it('shares small constants of equal type and content', () => {
    const g = new GraphBuilder();
    expect(g.scalar(0.5, 'float32')).toBe(g.scalar(0.5, 'float32'));
    expect(g.scalar(0.5, 'float32')).not.toBe(g.scalar(0.5, 'float64'));
    expect(g.scalar(0.5, 'float32')).not.toBe(g.scalar(0.25, 'float32'));
    const ones = (shape: number[]) => g.constant({ dtype: 'float32', shape, data: new Float32Array(4).fill(1) });
    expect(ones([4])).toBe(ones([4]));
    expect(ones([4])).not.toBe(ones([2, 2]));
  });
});

group('infer()', () => {
  const f32 = (...shape: number[]) => ({ dtype: 'float32' as const, shape });
  const i8 = (...shape: number[]) => ({ dtype: 'int8' as const, shape });

  it('names the op and what it was given', () => {
    expect(() => infer('MatMul', [f32(2, 3), f32(4, 5)], { transB: 0 })).toThrow(
      'Cannot apply MatMul to (f32[2,3], f32[4,5]) {"transB":0}: inner dimensions 3 and 4 differ',
    );
  });

  it.each([
    ['Add', [f32(2, 3), f32(2)], {}, 'do not broadcast'],
    ['Add', [f32(2), { dtype: 'float64', shape: [2] }], {}, 'types differ'],
    ['MatMul', [f32(3), f32(3, 2)], {}, 'needs matrices'],
    ['MatMul', [f32(2, 4, 3), f32(3, 3, 2)], {}, 'do not broadcast'],
    ['ReduceSum', [f32(2)], { axes: [-1] }, 'in range'],
    ['ReduceSum', [f32(2)], { axes: [] }, 'in range'],
    ['Reshape', [f32(2, 3)], { shape: [5] }, '6 elements do not fill [5]'],
    ['Transpose', [f32(2, 3)], { perm: [0, 0] }, 'perm [0,0]'],
    ['Slice', [f32(4)], { axis: 0, start: 2, end: 5 }, 'range 2..5'],
    ['Slice', [f32(4)], { axis: 1, start: 0, end: 1 }, 'range 0..1'],
    ['Pad', [f32(4)], { pads: [1] }, 'pads [1]'],
    ['Concat', [f32(2, 3), f32(2, 4)], { axis: 0 }, 'off the axis'],
    ['Concat', [f32(2, 3), f32(2, 3)], { axis: 2 }, 'axis 2 of [2,3]'],
    ['Split', [f32(5)], { axis: 0, sizes: [2, 2] }, 'sizes [2,2] of [5]'],
    ['Expand', [f32(2, 3)], { shape: [2, 4] }, 'does not broadcast'],
    ['Gather', [f32(2, 3), f32(2)], {}, 'must be integers'],
    ['SimplifiedLayerNormalization', [f32(2, 3), f32(2)], { epsilon: 1e-5 }, 'weight does not fit'],
    ['SimplifiedLayerNormalization', [f32(2, 3), f32(3)], {}, 'needs epsilon'],
    ['Int8MatMul', [f32(2, 3), i8(3, 4), f32(4), i8(3, 4), f32(3)], {}, 'weight for the way back does not fit'],
    ['Int8MatMul', [f32(2, 3), i8(3, 4), f32(4), i8(4, 3)], {}, 'weight for the way back does not fit'],
    ['Int8MatMul', [f32(2, 3), f32(3, 4), f32(4)], {}, 'needs f32, i8, f32'],
    [
      'CausalAttention',
      [f32(2, 8), f32(2, 4), f32(2, 4), f32(2, 2)],
      { heads: 4, kvHeads: 4, block: 2 },
      'head counts',
    ],
    ['CausalAttention', [f32(3, 4), f32(2, 4), f32(2, 4), f32(2, 2)], { heads: 1, kvHeads: 1, block: 2 }, 'keys and'],
    ['CausalAttention', [f32(2, 4), f32(2, 4), f32(2, 4), f32(2, 2)], { heads: 1, kvHeads: 1, block: 4 }, 'mask must'],
  ] as const)('refuses %s of %j with %j', (op, inputs, attributes, reason) => {
    expect(() => infer(op, inputs, attributes)).toThrow(reason);
  });
});

group('reachableNodes()', () => {
  it('lists every needed node once, inputs first', () => {
    const g = new GraphBuilder();
    const x = matrix(g, 'x', 2);
    const a = g.op('Exp', [x]);
    const b = g.op('Neg', [a]);
    const sum = g.op('Add', [a, b]);
    g.op('Tanh', [sum]);
    expect(reachableNodes([sum, b]).map((node) => node.op)).toEqual(['Exp', 'Neg', 'Add']);
  });

  it('stops at given values, also where they are outputs', () => {
    const g = new GraphBuilder();
    const a = g.op('Exp', [matrix(g, 'x', 2)]);
    const b = g.op('Neg', [a]);
    expect(reachableNodes([b], new Set([a])).map((node) => node.op)).toEqual(['Neg']);
    expect(reachableNodes([a], new Set([a]))).toEqual([]);
  });

  it('walks chains deeper than the call stack', () => {
    const g = new GraphBuilder();
    let x = matrix(g, 'x', 1);
    for (let i = 0; i < 20_000; i++) x = g.op('Neg', [x]);
    expect(reachableNodes([x])).toHaveLength(20_000);
  });
});
