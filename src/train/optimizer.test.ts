import { describe, expect, it } from 'vitest';
import { ADAMW_DEFAULTS, adamwStep, globalNorm } from './optimizer.ts';

/**
 * torch 2.15: AdamW(lr 0.1 / step, betas (0.9, 0.999), eps 1e-8, weight_decay 0.05), f32, three steps. The fourth element's
 * first gradient is of the size of eps, the third's is zero.
 */
const GRADIENTS = [
  [0.1, -0.2, 0, 1e-9],
  [0.3, 0.4, -0.5, 2],
  [-0.1, 0, 0.2, -3],
];
const TORCH = [
  [0.8949999809265137, -1.8899999856948853, 0.4975000023841858, 2.9759092330932617],
  [0.84687340259552, -1.9035801887512207, 0.5334631204605103, 2.931262493133545],
  [0.8293389081954956, -1.9098408222198486, 0.5424636602401733, 2.9334652423858643],
];

describe('adamwStep()', () => {
  it("makes PyTorch's steps", () => {
    const parameter = Float32Array.of(1, -2, 0.5, 3);
    const moments = { m: new Float32Array(4), v: new Float32Array(4) };
    for (const [i, gradient] of GRADIENTS.entries()) {
      const step = i + 1;
      adamwStep(parameter, gradient, moments, step, 0.1 / step, { ...ADAMW_DEFAULTS, weightDecay: 0.05 });
      for (const [j, value] of parameter.entries()) expect(Math.abs(value - TORCH[i]![j]!)).toBeLessThan(5e-7);
    }
  });

  it('steps w where u w is held', () => {
    const units = Float32Array.of(0.5, 2, 4, 8);
    const held = Float32Array.of(1, -2, 0.5, 3).map((w, i) => w * units[i]!);
    const moments = { m: new Float32Array(4), v: new Float32Array(4) };
    for (const [i, gradient] of GRADIENTS.entries()) {
      const step = i + 1;
      adamwStep(held, gradient, moments, step, 0.1 / step, { ...ADAMW_DEFAULTS, weightDecay: 0.05 }, units);
      for (const [j, value] of held.entries()) expect(Math.abs(value / units[j]! - TORCH[i]![j]!)).toBeLessThan(5e-7);
    }
  });

  it('moves nothing without a gradient, a moment or decay', () => {
    const parameter = Float32Array.of(1, -2);
    adamwStep(parameter, [0, 0], { m: new Float32Array(2), v: new Float32Array(2) }, 1, 0.1, ADAMW_DEFAULTS);
    expect(parameter).toEqual(Float32Array.of(1, -2));
  });
});

describe('globalNorm()', () => {
  it('is one norm over all tensors', () => {
    expect(globalNorm([[3, 0], Float32Array.of(4), [12]])).toBe(13);
    expect(globalNorm([])).toBe(0);
  });
});
