/** Reductions over given axes; the reduced dimensions stay as 1. */

import type { Attributes } from '../graph.ts';
import type { TensorType } from '../value.ts';
import { check, type Op, onlyGrad } from './op.ts';

function reduced(x: TensorType, attributes: Attributes): TensorType[] {
  const axes = attributes.axes as readonly number[];
  check(
    axes.length > 0 && axes.every((axis) => axis >= 0 && axis < x.shape.length),
    'axes must be non-negative and in range',
  );
  return [{ dtype: x.dtype, shape: x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) }];
}

export const reduce = {
  // y = sum x: dx = dy, broadcast
  ReduceSum: {
    infer: ([x], attributes) => reduced(x!, attributes),
    vjp: (c) => [c.g.op('Expand', [onlyGrad(c)], { shape: c.inputs[0]!.shape })],
  },
  // y = mean x: dx = dy / n, broadcast
  ReduceMean: {
    infer: ([x], attributes) => reduced(x!, attributes),
    vjp: (c) => {
      const x = c.inputs[0]!;
      const count = (c.node.attributes.axes as readonly number[]).reduce((n, axis) => n * x.shape[axis]!, 1);
      const share = c.g.op('Mul', [onlyGrad(c), c.g.scalar(1 / count, x.dtype)]);
      return [c.g.op('Expand', [share], { shape: x.shape })];
    },
  },
  // Forward only: a maximum serves shifts that cancel (softmax) and quantization, where no gradient flows.
  ReduceMax: { infer: ([x], attributes) => reduced(x!, attributes) },
  // Forward only, for quantization.
  ReduceMin: { infer: ([x], attributes) => reduced(x!, attributes) },
} satisfies Record<string, Op>;
