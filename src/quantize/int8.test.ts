import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantizeWeight } from './int8.ts';

const f32 = fc.float({ min: -4, max: 4, noNaN: true });
const weights = fc
  .record({ outputs: fc.integer({ min: 1, max: 5 }), inputs: fc.integer({ min: 1, max: 7 }) })
  .chain(({ outputs, inputs }) =>
    fc.record({
      outputs: fc.constant(outputs),
      inputs: fc.constant(inputs),
      // Largest values far below f32's smallest normal ones would have no scale; weights never are.
      weight: fc
        .array(
          f32.map((x) => (Math.abs(x) < 1e-30 ? 0 : x)),
          { minLength: outputs * inputs, maxLength: outputs * inputs },
        )
        .map((values) => Float32Array.from(values)),
    }),
  );

describe('quantizeWeight()', () => {
  it('is off by half a step of its output channel at most', () => {
    fc.assert(
      fc.property(weights, ({ weight, outputs, inputs }) => {
        const { codes, scale } = quantizeWeight(weight, outputs, inputs);
        for (const [i, w] of weight.entries()) {
          const step = scale[Math.floor(i / inputs)]!;
          // The scale itself is rounded to f32, which 127 steps multiply.
          expect(Math.abs(codes[i]! * step - w)).toBeLessThanOrEqual(step * (0.5 + 2e-5));
        }
      }),
    );
  });

  it('gives the largest value of an output the code 127 or -127, and never -128', () => {
    fc.assert(
      fc.property(weights, ({ weight, outputs, inputs }) => {
        const { codes } = quantizeWeight(weight, outputs, inputs);
        for (let output = 0; output < outputs; output++) {
          const row = [output * inputs, (output + 1) * inputs] as const;
          const isZero = weight.subarray(...row).every((w) => w === 0);
          const largest = codes.subarray(...row).reduce((most, code) => Math.max(most, Math.abs(code)), 0);
          expect(largest).toBe(isZero ? 0 : 127);
        }
      }),
    );
  });

  it('multiplies input channels first', () => {
    const found = quantizeWeight(Float32Array.of(1, 2, -3, 4), 2, 2, Float32Array.of(2, 0.5));
    expect(found).toEqual(quantizeWeight(Float32Array.of(2, 1, -6, 2), 2, 2));
    expect([...found.codes]).toEqual([127, 64, -127, 42]);
  });

  it('leaves an output of zeros zero', () => {
    const { codes, scale } = quantizeWeight(new Float32Array(3), 1, 3);
    expect([[...codes], [...scale]]).toEqual([[0, 0, 0], [1]]);
  });
});
