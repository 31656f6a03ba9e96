/** Ops that move elements without computing. Attributes that ONNX takes as int64 inputs are attributes here. */

import type { Value } from '../graph.ts';
import { check, type Op, onlyGrad } from './op.ts';

const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);

export const shape = {
  Reshape: {
    infer([x], attributes) {
      const target = attributes.shape as readonly number[];
      check(size(target) === size(x!.shape), `${size(x!.shape)} elements do not fill [${target}]`);
      return [{ dtype: x!.dtype, shape: target }];
    },
    vjp: (c) => [c.g.op('Reshape', [onlyGrad(c)], { shape: c.inputs[0]!.shape })],
  },
  Transpose: {
    infer([x], attributes) {
      const perm = attributes.perm as readonly number[];
      check([...perm].sort((a, b) => a - b).join() === x!.shape.map((_, i) => i).join(), `perm [${perm}]`);
      return [{ dtype: x!.dtype, shape: perm.map((axis) => x!.shape[axis]!) }];
    },
    // The gradient goes back by the inverse permutation.
    vjp(c) {
      const perm = c.node.attributes.perm as readonly number[];
      return [c.g.op('Transpose', [onlyGrad(c)], { perm: perm.map((_, axis) => perm.indexOf(axis)) })];
    },
  },
  /** Rows start..end of one axis. */
  Slice: {
    infer([x], attributes) {
      const { axis, start, end } = attributes as Record<string, number>;
      check(start! >= 0 && start! < end! && end! <= x!.shape[axis!]!, `range ${start}..${end} of [${x!.shape}]`);
      return [{ dtype: x!.dtype, shape: x!.shape.map((d, i) => (i === axis ? end! - start! : d)) }];
    },
    // The gradient is zero outside the range.
    vjp(c) {
      const { axis, start, end } = c.node.attributes as Record<string, number>;
      const x = c.inputs[0]!;
      const pads = [
        ...x.shape.map((_, i) => (i === axis ? start! : 0)),
        ...x.shape.map((d, i) => (i === axis ? d - end! : 0)),
      ];
      return [c.g.op('Pad', [onlyGrad(c)], { pads })];
    },
  },
  /** Zeros before and after: pads = [before of each axis, after of each axis]. */
  Pad: {
    infer([x], attributes) {
      const pads = attributes.pads as readonly number[];
      const rank = x!.shape.length;
      check(pads.length === 2 * rank && pads.every((p) => p >= 0), `pads [${pads}]`);
      return [{ dtype: x!.dtype, shape: x!.shape.map((d, i) => d + pads[i]! + pads[rank + i]!) }];
    },
    vjp(c) {
      const pads = c.node.attributes.pads as readonly number[];
      const x = c.inputs[0]!;
      let grad: Value = onlyGrad(c);
      for (const [axis, d] of x.shape.entries()) {
        if (grad.shape[axis] !== d) grad = c.g.op('Slice', [grad], { axis, start: pads[axis]!, end: pads[axis]! + d });
      }
      return [grad];
    },
  },
  Concat: {
    infer(inputs, attributes) {
      const axis = attributes.axis as number;
      const first = inputs[0]!;
      check(first.shape[axis] !== undefined, `axis ${axis} of [${first.shape}]`);
      for (const { dtype, shape } of inputs) {
        check(dtype === first.dtype, 'types differ');
        check(
          shape.length === first.shape.length && shape.every((d, i) => i === axis || d === first.shape[i]),
          'shapes differ off the axis',
        );
      }
      const total = inputs.reduce((n, input) => n + input.shape[axis]!, 0);
      return [{ dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? total : d)) }];
    },
    vjp(c) {
      const axis = c.node.attributes.axis as number;
      let start = 0;
      return c.inputs.map((input, i) => {
        const end = start + input.shape[axis]!;
        const grad = c.needs[i] ? c.g.op('Slice', [onlyGrad(c)], { axis, start, end }) : null;
        start = end;
        return grad;
      });
    },
  },
  /** The parts of one axis, of the given sizes. */
  Split: {
    infer([x], attributes) {
      const axis = attributes.axis as number;
      const sizes = attributes.sizes as readonly number[];
      check(sizes.reduce((a, b) => a + b, 0) === x!.shape[axis], `sizes [${sizes}] of [${x!.shape}]`);
      return sizes.map((part) => ({ dtype: x!.dtype, shape: x!.shape.map((d, i) => (i === axis ? part : d)) }));
    },
    // The gradient is the parts' gradients side by side; a part nobody used has none, and counts as zero.
    vjp(c) {
      const axis = c.node.attributes.axis as number;
      const parts = c.outputs.map((output, i) => c.grads[i] ?? zeros(c.g, output));
      return [c.g.op('Concat', parts, { axis })];
    },
  },
  Expand: {
    infer([x], attributes) {
      const target = attributes.shape as readonly number[];
      check(
        target.length >= x!.shape.length &&
          x!.shape.every((d, i) => d === 1 || d === target[target.length - x!.shape.length + i]),
        `[${x!.shape}] does not broadcast to [${target}]`,
      );
      return [{ dtype: x!.dtype, shape: target }];
    },
    // The sweep sums the broadcast out.
    vjp: (c) => [onlyGrad(c)],
  },
} satisfies Record<string, Op>;

function zeros(g: Parameters<NonNullable<Op['vjp']>>[0]['g'], like: Value): Value {
  return g.op('Expand', [g.scalar(0, like.dtype)], { shape: like.shape });
}
