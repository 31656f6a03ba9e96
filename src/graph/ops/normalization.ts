/** Softmax and root-mean-square normalization. */

import type { Value } from '../graph.ts';
import { check, type Op } from './op.ts';

export const normalization = {
  /**
   * Softmax over the last axis.
   *   p = softmax(x): dx = p (dp - sum(dp p))
   */
  Softmax: {
    infer: ([x]) => [{ dtype: x!.dtype, shape: x!.shape }],
    vjp({ g, outputs, grads }) {
      const p = outputs[0]!;
      const weighted = g.op('Mul', [grads[0]!, p]);
      const total = g.op('ReduceSum', [weighted], { axes: [p.shape.length - 1] });
      return [g.op('Mul', [p, g.op('Sub', [grads[0]!, total])])];
    },
  },
  /**
   * Root-mean-square normalization over the last axis (arXiv 1910.07467), the ONNX Runtime op: outputs y and
   * r = 1 / sqrt(mean(x^2) + epsilon) [..., 1].
   *   y = x r w: dx = r (dy w - x r^2 mean(dy w x)), dw = dy x r
   */
  SimplifiedLayerNormalization: {
    infer([x, weight], { epsilon }) {
      check(typeof epsilon === 'number', 'needs epsilon');
      check(weight!.shape.length === 1 && weight!.shape[0] === x!.shape[x!.shape.length - 1], 'weight does not fit');
      return [
        { dtype: x!.dtype, shape: x!.shape },
        { dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), 1] },
      ];
    },
    // The kernel's second output is float32 whatever x is, so float64 (in tests) is spelled out: r = exp(-log(mean + eps) / 2).
    lower(g, [x, weight], { epsilon }) {
      if (x!.dtype !== 'float64') return null;
      const mean = g.op('ReduceMean', [g.op('Mul', [x!, x!])], { axes: [x!.shape.length - 1] });
      const log = g.op('Log', [g.op('Add', [mean, g.scalar(epsilon as number, 'float64')])]);
      const r = g.op('Exp', [g.op('Mul', [log, g.scalar(-0.5, 'float64')])]);
      return [g.op('Mul', [g.op('Mul', [x!, r]), weight!]), r];
    },
    vjp({ g, inputs, outputs, grads, needs }) {
      const [x, weight] = inputs as [Value, Value];
      check(!grads[1], 'internal: the second output of SimplifiedLayerNormalization has no derivative');
      const r = outputs[1]!;
      const dy = grads[0]!;
      const scaled = g.op('Mul', [dy, weight]);
      const mean = g.op('ReduceMean', [g.op('Mul', [scaled, x])], { axes: [x.shape.length - 1] });
      const back = g.op('Mul', [x, g.op('Mul', [mean, g.op('Mul', [r, r])])]);
      return [
        needs[0] ? g.op('Mul', [r, g.op('Sub', [scaled, back])]) : null,
        needs[1] ? g.op('Mul', [dy, g.op('Mul', [x, r])]) : null,
      ];
    },
  },
} satisfies Record<string, Op>;
