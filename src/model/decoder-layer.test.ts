import { describe, expect, it } from 'vitest';
import '../../test/matchers.ts';
import { drawNormal } from '../../test/op-case.ts';
import { type Dense, evaluate, toDense } from '../../test/reference.ts';
import { SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import { rotaryTables } from '../engine/rotary-tables.ts';
import { GraphBuilder } from '../graph/graph.ts';
import { afterAttention, beforeAttention, linearGroups } from './decoder-layer.ts';

const { config } = tinyWeights(SMALLEST);
const { headDim, heads, kvHeads, hiddenSize } = config;
const F64 = { precision: 'f32', dtype: 'float64' } as const;

/** q, k and v of a layer with drawn weights, the same input in every row. */
function attentionInputs(positions: readonly number[]): { q: Dense; k: Dense; v: Dense } {
  const rows = positions.length;
  const g = new GraphBuilder();
  const { q, k, v } = beforeAttention(g, config, rows, F64);
  const { cos, sin, half } = rotaryTables(Int32Array.from(positions), config.rope, headDim, 'float64');
  const draw = (name: string, shape: number[]) => toDense(drawNormal(shape, 'float64', 'llama', name));
  const one = draw('x', [1, hiddenSize]).data;
  const feeds = {
    x: {
      shape: [rows, hiddenSize],
      data: Float64Array.from({ length: rows * hiddenSize }, (_, i) => one[i % hiddenSize]!),
    },
    cos: { shape: [rows, half], data: cos as Float64Array },
    sin: { shape: [rows, half], data: sin as Float64Array },
    norm1: draw('norm1', [hiddenSize]),
    ...Object.fromEntries(
      linearGroups(config).qkv.parts.map(({ name, outputs }) => [
        `${name}.weight`,
        draw(`${name} weight`, [outputs, hiddenSize]),
      ]),
    ),
  };
  const [dq, dk, dv] = evaluate([q, k, v], feeds) as [Dense, Dense, Dense];
  return { q: dq, k: dk, v: dv };
}

const row = ({ shape, data }: Dense, i: number) => data.subarray(i * shape[1]!, (i + 1) * shape[1]!);

describe('linearGroups()', () => {
  it('has the sizes of the seven linears', () => {
    const sizes = Object.values(linearGroups(config)).flatMap(({ inputs, parts }) =>
      parts.map(({ name, outputs }) => [name, outputs, inputs]),
    );
    expect(sizes).toEqual([
      ['q', 16, 16],
      ['k', 8, 16],
      ['v', 8, 16],
      ['o', 16, 16],
      ['gate', 24, 16],
      ['up', 24, 16],
      ['down', 16, 24],
    ]);
  });
});

describe('beforeAttention()', () => {
  it('gives queries for all heads, keys and values for the shared ones', () => {
    const { q, k, v } = attentionInputs([0, 5]);
    expect([q.shape, k.shape, v.shape]).toEqual([
      [2, heads * headDim],
      [2, kvHeads * headDim],
      [2, kvHeads * headDim],
    ]);
  });

  it('turns queries and keys so that their products depend on distance alone, and leaves values', () => {
    const { q, k, v } = attentionInputs([0, 3, 100, 103]);
    const score = (i: number, j: number) =>
      row(q, i)
        .subarray(0, headDim)
        .reduce((sum, value, d) => sum + value * row(k, j)[d]!, 0);
    expect(score(1, 0)).toBeCloseTo(score(3, 2), 10);
    expect(score(2, 2)).toBeCloseTo(score(0, 0), 10);
    expect(Math.abs(score(1, 0) - score(0, 0))).toBeGreaterThan(1e-3);
    for (const i of [1, 2, 3]) expect(row(v, i)).toEqual(row(v, 0));
  });

  it('pairs the halves of a head, not its neighbours', () => {
    const { q } = attentionInputs([0, 1]);
    const [before, after] = [row(q, 0), row(q, 1)];
    const half = headDim / 2;
    for (let i = 0; i < half; i++) {
      const angle = config.rope.theta ** (-i / half);
      const turned = before[i]! * Math.cos(angle) - before[i + half]! * Math.sin(angle);
      expect(after[i]).toBeCloseTo(turned, 12);
    }
  });
});

describe('afterAttention()', () => {
  it('gives the residual stream, and what a backward pass keeps', () => {
    const { middle, gate, up, y } = afterAttention(new GraphBuilder(), config, 3, F64);
    expect([middle.shape, gate.shape, up.shape, y.shape]).toEqual([
      [3, 16],
      [3, 24],
      [3, 24],
      [3, 16],
    ]);
  });
});
