import { describe, expect, it } from 'vitest';
import { gradient } from './gradient.ts';
import { GraphBuilder, reachableNodes, type Value } from './graph.ts';

const input = (g: GraphBuilder, name: string, ...shape: number[]) => g.input(name, 'float32', shape);
const ops = (values: readonly (Value | null)[]) =>
  reachableNodes(values.filter((value) => value !== null)).map((node) => node.op);

describe('gradient()', () => {
  it('of an output with respect to itself is the seed', () => {
    const g = new GraphBuilder();
    const y = g.op('Exp', [input(g, 'x', 2)]);
    const seed = input(g, 'dy', 2);
    expect(gradient(g, [y], [seed], [y])).toEqual([seed]);
  });

  it('with respect to a value in the middle stops there', () => {
    const g = new GraphBuilder();
    const middle = g.op('Max', [input(g, 'x', 2), g.scalar(0, 'float32')]);
    const [grad] = gradient(g, [g.op('Neg', [middle])], [input(g, 'dy', 2)], [middle]);
    expect(ops([grad!])).toEqual(['Neg']);
  });

  it('builds nothing for frozen weights', () => {
    const g = new GraphBuilder();
    const x = input(g, 'x', 2, 3);
    const y = g.op('MatMul', [g.op('MatMul', [x, input(g, 'frozen', 3, 3)]), input(g, 'w', 3, 4)]);
    const [dx] = gradient(g, [y], [input(g, 'dy', 2, 4)], [x]);
    expect(ops([dx!])).toEqual(['MatMul', 'MatMul']);
  });

  it('is null for a target that no output depends on', () => {
    const g = new GraphBuilder();
    const [x, other] = [input(g, 'x', 2), input(g, 'other', 2)];
    g.op('Mul', [x, other]);
    const grads = gradient(g, [g.op('Exp', [x])], [input(g, 'dy', 2)], [x, other]);
    expect(grads.map((grad) => grad === null)).toEqual([false, true]);
  });

  it('sums out broadcast dimensions, back to the shape of the value', () => {
    const g = new GraphBuilder();
    const x = input(g, 'x', 2, 3);
    for (const shape of [[3], [1, 3], [2, 1], []]) {
      const b = input(g, `b${shape.join('x')}`, ...shape);
      const [grad] = gradient(g, [g.op('Add', [x, b])], [input(g, 'dy', 2, 3)], [b]);
      expect(grad!.shape).toEqual(shape);
    }
  });

  it('adds the gradients of all paths', () => {
    const g = new GraphBuilder();
    const x = input(g, 'x', 2);
    const outputs = [g.op('Exp', [x]), g.op('Neg', [x])];
    const [grad] = gradient(g, outputs, [input(g, 'dy', 2), input(g, 'dz', 2)], [x]);
    expect(ops([grad!]).sort()).toEqual(['Add', 'Exp', 'Mul', 'Neg']);
  });

  it('names an op without derivative and the path behind it', () => {
    const g = new GraphBuilder();
    const x = input(g, 'x', 2);
    const y = g.op('Exp', [g.op('Abs', [g.op('Neg', [x])])]);
    expect(() => gradient(g, [y], [input(g, 'dy', 2)], [x])).toThrow('Abs has no derivative (Abs <- Neg)');
  });

  it('passes an op without derivative that is on no path', () => {
    const g = new GraphBuilder();
    const rows = g.op('Gather', [input(g, 'table', 5, 3), g.input('ids', 'int64', [2])]);
    const w = input(g, 'w', 3);
    expect(gradient(g, [g.op('Mul', [rows, w])], [input(g, 'dy', 2, 3)], [w])[0]).not.toBeNull();
  });

  it('refuses a seed of another shape', () => {
    const g = new GraphBuilder();
    const x = input(g, 'x', 2);
    expect(() => gradient(g, [g.op('Exp', [x])], [input(g, 'dy', 1)], [x])).toThrow('seed and output shapes differ');
  });

  it('refuses to drop a gradient of the second output of a normalization', () => {
    const g = new GraphBuilder();
    const x = input(g, 'x', 2, 3);
    const [, r] = g.apply('SimplifiedLayerNormalization', [x, input(g, 'w', 3)], { epsilon: 1e-5 });
    expect(() => gradient(g, [r!], [input(g, 'dr', 2, 1)], [x])).toThrow('second output');
  });
});
