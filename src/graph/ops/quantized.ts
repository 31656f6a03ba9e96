/**
 * Products with int8 weights on the W8A8 grid of compressed-tensors: weights per output channel, activations dynamic,
 * symmetric, per token. A row's result depends on that row alone, so packing, batching and decoding change nothing.
 */

import type { GraphBuilder, Value } from '../graph.ts';
import { check, type Op, onlyGrad } from './op.ts';

/**
 * compressed-tensors' activation grid: scale = absmax / 127.5, codes clamped to [-128, 127]. As the largest float32 below
 * 1 / 127.5: the nearest lies above it, and -absmax, a tie on this grid, would divide to -127.49999 and become -127.
 */
export const ACTIVATION_STEP = 0x808080 / 2 ** 30;
/** Rows of zeros have no absmax to divide by; any positive floor gives zeros. */
export const SMALLEST_ABSMAX = 1e-30;
export const ZERO_POINT = 128;

/** Codes u8 (zero point 128) and absmax [..., 1] of each row. */
function quantizeRows(g: GraphBuilder, x: Value): [Value, Value] {
  // |x| would be written before it is read: the largest of x and of -x need no second tensor.
  const axes = [x.shape.length - 1];
  const largest = g.op('Max', [g.op('ReduceMax', [x], { axes }), g.op('Neg', [g.op('ReduceMin', [x], { axes })])]);
  const guarded = g.op('Max', [largest, g.scalar(SMALLEST_ABSMAX, x.dtype)]);
  const codes = g.op('QuantizeLinear', [g.op('Div', [x, guarded]), ...activationGrid(g)]);
  return [codes, guarded];
}

function activationGrid(g: GraphBuilder): [Value, Value] {
  return [
    g.scalar(ACTIVATION_STEP, 'float32'),
    g.constant({ dtype: 'uint8', shape: [], data: Uint8Array.of(ZERO_POINT) }),
  ];
}

export const quantized = {
  QuantizeLinear: { infer: ([x]) => [{ dtype: 'uint8', shape: x!.shape }] },
  /** com.microsoft: (u8 [m, k], s8 [k, n], scale, scale [n], zero point) -> f32 [m, n], exact integers scaled once. */
  MatMulIntegerToFloat: {
    infer([a, b]) {
      check(a!.shape[a!.shape.length - 1] === b!.shape[0], 'inner dimensions differ');
      return [{ dtype: 'float32', shape: [...a!.shape.slice(0, -1), b!.shape[1]!] }];
    },
  },
  /**
   * y = quantize(x) w * scale, inputs x [m, k], w int8 [k, n], scale [n]. Its derivative needs the weight rounded for the way back as
   * well, by input: back int8 [n, k] and backScale [k] (and units u [n], ones where absent) with
   * w_ij scale_j ~ u_j back_ji backScale_i. The gradient passes the rounding straight (Bengio et al., arXiv 1308.3432):
   *   dx = quantize(dy * u) back * backScale.
   * With w itself it would be quantize(dy * scale) w^T: the scales of a smoothed weight differ so much that a few outputs would
   * fill the grid and the others' gradient be lost (docs/log.md).
   */
  Int8MatMul: {
    infer([x, w, scale, ...back]) {
      check(x!.dtype === 'float32' && scale!.dtype === 'float32' && w!.dtype === 'int8', 'needs f32, i8, f32');
      const [k, n] = w!.shape as [number, number];
      check(x!.shape[x!.shape.length - 1] === k && scale!.shape.join() === `${n}`, 'inner dimensions differ');
      const needed = [`int8 ${n},${k}`, `float32 ${k}`, `float32 ${n}`];
      const fits = back.every(({ dtype, shape }, i) => `${dtype} ${shape}` === needed[i]);
      check(fits && back.length !== 1, 'the weight for the way back does not fit');
      return [{ dtype: 'float32', shape: [...x!.shape.slice(0, -1), n] }];
    },
    vjp(c) {
      const [, , , back, scale, units] = c.inputs as Value[];
      check(back !== undefined && scale !== undefined, 'has no derivative without the weight for the way back');
      const dy = onlyGrad(c);
      const dx = c.g.op('Int8MatMul', [units ? c.g.op('Mul', [dy, units]) : dy, back!, scale!]);
      return c.inputs.map((_, i) => (i === 0 ? dx : null));
    },
    lower(g, [x, w, scale]) {
      const [codes, absmax] = quantizeRows(g, x!);
      const [step, zero] = activationGrid(g);
      return [g.op('Mul', [g.op('MatMulIntegerToFloat', [codes, w!, step, scale!, zero]), absmax])];
    },
  },
} satisfies Record<string, Op>;
