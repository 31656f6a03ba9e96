import { describe, expect, it } from 'vitest';
import { GraphBuilder, type Value } from './graph.ts';
import type { TensorType } from './value.ts';
import { verifyGraph } from './verify.ts';

/** x -> Exp -> Neg, where the types stored for Exp are then changed, as a faulty pass might. */
function corrupted(change: Partial<TensorType>) {
  const g = new GraphBuilder();
  const inner = g.op('Exp', [g.input('x', 'float32', [2, 3])]);
  const outer = g.op('Neg', [inner]);
  Object.assign(inner, change);
  return { inner, outer };
}

describe('verifyGraph()', () => {
  it('passes what the builder built', () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [4, 6]);
    const parts = g.apply('Split', [x], { axis: 1, sizes: [2, 4] });
    expect(() => verifyGraph([g.op('Softmax', [parts[1]!]), parts[0]!])).not.toThrow();
  });

  it('names a node whose stored shape is not what its inputs give', () => {
    const { outer } = corrupted({ shape: [3, 2] });
    expect(() => verifyGraph([outer])).toThrow('Exp stored f32[3,2], but its inputs give f32[2,3]');
  });

  it('names a node whose stored type is not what its inputs give', () => {
    const { outer } = corrupted({ dtype: 'float64' });
    expect(() => verifyGraph([outer])).toThrow('Exp stored f64[2,3], but its inputs give f32[2,3]');
  });

  it('looks at the consumers of given values, not behind them', () => {
    const { inner, outer } = corrupted({ shape: [3, 2] });
    const given: ReadonlySet<Value> = new Set([inner]);
    expect(() => verifyGraph([outer], given)).toThrow('Neg stored f32[2,3], but its inputs give f32[3,2]');
    expect(() => verifyGraph([inner], given)).not.toThrow();
  });
});
