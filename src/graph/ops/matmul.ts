/** Matrix products. */

import type { Value } from '../graph.ts';
import { broadcastShape } from './elementwise.ts';
import { check, type Op, onlyGrad, type VjpContext } from './op.ts';

/**
 * y = alpha op(a) op(b), batched over leading dimensions; op transposes the last two where transA / transB is 1.
 * Emitted as MatMul or com.microsoft.FusedMatMul.
 *
 *   da = alpha dy op(b)^T, db = alpha op(a)^T dy, each transposed back where op transposed.
 */
function matmulVjp(c: VjpContext): (Value | null)[] {
  const [a, b] = c.inputs as [Value, Value];
  const dy = onlyGrad(c);
  const { transA = 0, transB = 0, alpha = 1 } = c.node.attributes as Record<string, number>;
  const product = (x: Value, y: Value, tx: number, ty: number) =>
    c.g.op('MatMul', [x, y], { transA: tx, transB: ty, alpha });
  return [
    c.needs[0] ? (transA ? product(b, dy, transB, 1) : product(dy, b, 0, 1 - transB)) : null,
    c.needs[1] ? (transB ? product(dy, a, 1, transA) : product(a, dy, 1 - transA, 0)) : null,
  ];
}

export const matmul = {
  MatMul: {
    infer([a, b], { transA = 0, transB = 0 }) {
      check(a!.dtype === b!.dtype, 'types differ');
      check(a!.shape.length >= 2 && b!.shape.length >= 2, 'needs matrices');
      const [m, k] = lastTwo(a!.shape, transA === 1);
      const [k2, n] = lastTwo(b!.shape, transB === 1);
      check(k === k2, `inner dimensions ${k} and ${k2} differ`);
      return [{ dtype: a!.dtype, shape: [...broadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m, n] }];
    },
    vjp: matmulVjp,
  },
  /**
   * y = alpha op(a) op(b) + c for matrices, c broadcast to [m, n]: the product starts from c, where MatMul and Add would
   * write, read and write it.
   */
  Gemm: {
    infer([a, b, c], { transA = 0, transB = 0 }) {
      check(a!.dtype === b!.dtype && a!.dtype === c!.dtype, 'types differ');
      check(a!.shape.length === 2 && b!.shape.length === 2, 'needs matrices');
      const [m, k] = lastTwo(a!.shape, transA === 1);
      const [k2, n] = lastTwo(b!.shape, transB === 1);
      check(k === k2, `inner dimensions ${k} and ${k2} differ`);
      check(broadcastShape([m, n], c!.shape).join() === `${m},${n}`, `[${c!.shape}] does not broadcast to [${m},${n}]`);
      return [{ dtype: a!.dtype, shape: [m, n] }];
    },
    vjp: (c) => [...matmulVjp(c), c.needs[2] ? onlyGrad(c) : null],
  },
} satisfies Record<string, Op>;

function lastTwo(shape: readonly number[], transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}
