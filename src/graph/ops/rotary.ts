/** Rotary position embedding (arXiv 2104.09864). */

import type { Value } from '../graph.ts';
import { check, type Op, onlyGrad } from './op.ts';

export const rotary = {
  /**
   * com.microsoft: x [1, rows, heads * d], cos and sin [rows, d / 2], the halves of each head's d paired:
   *   (a, b) -> (a cos - b sin, b cos + a sin).
   * The gradient turns back: the same with -sin. The angles have none.
   */
  RotaryEmbedding: {
    infer([x, cos, sin]) {
      const [batch, rows, width] = x!.shape;
      check(x!.shape.length === 3 && batch === 1, `needs [1, rows, heads * d], not [${x!.shape}]`);
      check(cos!.shape.length === 2 && cos!.shape[0] === rows, 'needs an angle for each row');
      check(width! % (2 * cos!.shape[1]!) === 0, `${width} columns are not heads of ${2 * cos!.shape[1]!}`);
      check(sin!.shape.join() === cos!.shape.join(), 'cos and sin differ in shape');
      check(cos!.dtype === x!.dtype && sin!.dtype === x!.dtype, 'types differ');
      return [{ dtype: x!.dtype, shape: x!.shape }];
    },
    // The kernel knows float32 alone; float64 (in tests) is spelled out.
    lower(g, [x, cos, sin]) {
      if (x!.dtype !== 'float64') return null;
      const [, rows, width] = x!.shape as [number, number, number];
      const half = cos!.shape[1]!;
      const byHead = g.op('Reshape', [x!], { shape: [rows, width / (2 * half), 2 * half] });
      const [a, b] = g.apply('Split', [byHead], { axis: 2, sizes: [half, half] }) as [Value, Value];
      const [c, s] = [cos!, sin!].map((angle) => g.op('Reshape', [angle], { shape: [rows, 1, half] })) as [
        Value,
        Value,
      ];
      const first = g.op('Sub', [g.op('Mul', [a, c]), g.op('Mul', [b, s])]);
      const second = g.op('Add', [g.op('Mul', [b, c]), g.op('Mul', [a, s])]);
      return [g.op('Reshape', [g.op('Concat', [first, second], { axis: 2 })], { shape: x!.shape })];
    },
    vjp(c) {
      const [, cos, sin] = c.inputs as [Value, Value, Value];
      check(!c.needs[1] && !c.needs[2], 'internal: the angles of RotaryEmbedding have no derivative');
      return [c.g.op('RotaryEmbedding', [onlyGrad(c), cos, c.g.op('Neg', [sin])]), null, null];
    },
  },
} satisfies Record<string, Op>;
