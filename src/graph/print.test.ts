import { describe, expect, it } from 'vitest';
import { gradient } from './gradient.ts';
import { GraphBuilder } from './graph.ts';
import { OPS } from './ops/table.ts';
import { printGraph } from './print.ts';

const golden = (name: string) => `../../test/golden/graph/${name}.txt`;

describe('printGraph()', () => {
  it('prints a node a line, in execution order, and what the outputs are', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 4]);
    const [a, b] = g.apply('Split', [x], { axis: 1, sizes: [1, 3] });
    const table = g.constant({ dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) });
    const y = g.op('Add', [g.op('Mul', [b!, g.scalar(0.5, 'float32')]), table]);
    expect(printGraph({ y, a: a!, x })).toBe(
      [
        '%0 f32[2,1], %1 f32[2,3] = Split(x) {"axis":1,"sizes":[1,3]}',
        '%2 f32[2,3] = Mul(%1, 0.5)',
        '%3 f32[2,3] = Add(%2, constf32[3])',
        'y <- %3',
        'a <- %0',
        'x <- x',
      ].join('\n'),
    );
  });

  it('takes given values as inputs under their names', () => {
    const g = new GraphBuilder();
    const kept = g.op('Exp', [g.input('x', 'float32', [2])]);
    expect(printGraph({ y: g.op('Neg', [kept]) }, { kept })).toBe('%0 f32[2] = Neg(kept)\ny <- %0');
  });
});

describe('printed derivatives', () => {
  it('of a normalized product, frozen weight', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [8, 4]);
    const norm = g.input('norm', 'float32', [4]);
    const h = g.op('SimplifiedLayerNormalization', [x, norm], { epsilon: 1e-5 });
    const y = g.op('MatMul', [h, g.input('w', 'float32', [6, 4])], { transB: 1 });
    const [dx, dnorm] = gradient(g, [y], [g.input('dy', 'float32', [8, 6])], [x, norm]);
    await expect(printGraph({ dx: dx!, dnorm: dnorm! })).toMatchFileSnapshot(golden('normalized-product-gradient'));
  });

  it('of softmax times a split value', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 6]);
    const [a, b] = g.apply('Split', [x], { axis: 1, sizes: [3, 3] });
    const y = g.op('Mul', [g.op('Softmax', [a!]), b!]);
    const [dx] = gradient(g, [y], [g.input('dy', 'float32', [2, 3])], [x]);
    await expect(printGraph({ dx: dx! })).toMatchFileSnapshot(golden('softmax-split-gradient'));
  });
});

describe('printed composites', () => {
  it('CausalAttention: two blocks over a prefix, grouped heads', async () => {
    const g = new GraphBuilder();
    const [q, k, v] = [g.input('q', 'float32', [4, 12]), ...['k', 'v'].map((n) => g.input(n, 'float32', [7, 4]))];
    const inputs = [q!, k!, v!, g.input('mask', 'float32', [3, 3])];
    const [o] = OPS.CausalAttention.lower!(g, inputs, { heads: 6, kvHeads: 2, block: 3, scale: 0.5 })!;
    await expect(printGraph({ o: o! })).toMatchFileSnapshot(golden('causal-attention'));
  });

  it('Int8MatMul', async () => {
    const g = new GraphBuilder();
    const inputs = [g.input('x', 'float32', [2, 3]), g.input('w', 'int8', [3, 4]), g.input('scale', 'float32', [4])];
    const [y] = OPS.Int8MatMul.lower!(g, inputs, {})!;
    await expect(printGraph({ y: y! })).toMatchFileSnapshot(golden('int8-matmul'));
  });
});
