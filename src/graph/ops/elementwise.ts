/** Elementwise ops with numpy broadcasting. */

import type { Value } from '../graph.ts';
import type { Shape } from '../value.ts';
import { check, type Op, onlyGrad } from './op.ts';

/** The broadcast of two shapes (numpy rules). */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    check(x === y || x === 1 || y === 1, `shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

function binary(vjp: NonNullable<Op['vjp']>): Op {
  return {
    infer([a, b]) {
      check(a!.dtype === b!.dtype, 'types differ');
      return [{ dtype: a!.dtype, shape: broadcastShape(a!.shape, b!.shape) }];
    },
    vjp,
  };
}

function unary(derivative: (x: Value, y: Value, context: Parameters<NonNullable<Op['vjp']>>[0]) => Value): Op {
  return {
    infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
    vjp: (context) => [derivative(context.inputs[0]!, context.outputs[0]!, context)],
  };
}

export const elementwise = {
  // d(a + b) = da + db
  Add: binary((c) => [onlyGrad(c), onlyGrad(c)]),
  // d(a - b) = da - db
  Sub: binary((c) => [onlyGrad(c), c.needs[1] ? c.g.op('Neg', [onlyGrad(c)]) : null]),
  // d(a b) = b da + a db
  Mul: binary((c) => [
    c.needs[0] ? c.g.op('Mul', [onlyGrad(c), c.inputs[1]!]) : null,
    c.needs[1] ? c.g.op('Mul', [onlyGrad(c), c.inputs[0]!]) : null,
  ]),
  // d(a / b) = da / b - (a / b) db / b
  Div: binary((c) => {
    const da = c.g.op('Div', [onlyGrad(c), c.inputs[1]!]);
    return [da, c.needs[1] ? c.g.op('Neg', [c.g.op('Mul', [da, c.outputs[0]!])]) : null];
  }),
  // max(a, b): used with a constant floor, the gradient goes to the larger side; forward only until a caller needs it.
  Max: {
    infer([a, b]) {
      check(a!.dtype === b!.dtype, 'types differ');
      return [{ dtype: a!.dtype, shape: broadcastShape(a!.shape, b!.shape) }];
    },
  },
  Neg: unary((_x, _y, c) => c.g.op('Neg', [onlyGrad(c)])),
  // forward only: |x| serves quantization, through which gradients pass straight.
  Abs: { infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }] },
  // d exp(x) = exp(x) dx
  Exp: unary((_x, y, c) => c.g.op('Mul', [onlyGrad(c), y])),
  // d log(x) = dx / x
  Log: unary((x, _y, c) => c.g.op('Div', [onlyGrad(c), x])),
  // d (1/x) = -(1/x)^2 dx
  Reciprocal: unary((_x, y, c) => c.g.op('Neg', [c.g.op('Mul', [onlyGrad(c), c.g.op('Mul', [y, y])])])),
  // s = sigmoid(x): ds = s (1 - s) dx
  Sigmoid: unary((_x, y, c) => {
    const oneMinus = c.g.op('Sub', [c.g.scalar(1, y.dtype), y]);
    return c.g.op('Mul', [onlyGrad(c), c.g.op('Mul', [y, oneMinus])]);
  }),
  // y = x s, s = sigmoid(x): dy = (s + y (1 - s)) dx
  Silu: {
    infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
    lower: (g, [x]) => [g.op('Mul', [x!, g.op('Sigmoid', [x!])])],
    vjp(c) {
      const [x] = c.inputs as [Value];
      const s = c.g.op('Sigmoid', [x]);
      const rest = c.g.op('Mul', [c.outputs[0]!, c.g.op('Sub', [c.g.scalar(1, x.dtype), s])]);
      return [c.g.op('Mul', [onlyGrad(c), c.g.op('Add', [s, rest])])];
    },
  },
  // t = tanh(x): dt = (1 - t^2) dx
  Tanh: unary((_x, y, c) =>
    c.g.op('Mul', [onlyGrad(c), c.g.op('Sub', [c.g.scalar(1, y.dtype), c.g.op('Mul', [y, y])])]),
  ),
} satisfies Record<string, Op>;
