import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../foundation/errors.ts';
import { type RandomStream, randomStream } from '../foundation/random.ts';
import { candidates, keepNucleus, penalizeRepetition, sampleToken } from './sample-token.ts';

const PLAIN = { temperature: 1, topP: 1, repetitionPenalty: 1 };
const log = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);
/** A stream whose draws are all `u`. */
const drawing = (u: number): RandomStream => ({ ...randomStream('unused'), uniform: () => u });
/** The tokens that keepNucleus() leaves of the likeliest `topP`. */
function kept(logits: Float32Array, temperature: number, topP: number): number[] {
  const { tokens, weights, total } = candidates(logits, temperature);
  keepNucleus(weights, topP * total);
  return Array.from(tokens).filter((_, i) => weights[i]! > 0);
}

describe('penalizeRepetition()', () => {
  it('divides what is positive, multiplies what is negative, once a token', () => {
    const logits = Float32Array.of(2, -2, 2, -2, 0);
    penalizeRepetition(logits, new Set([0, 1, 4, 0]), 1.25);
    expect([...logits]).toEqual([Math.fround(1.6), -2.5, 2, -2, 0]);
  });
});

describe('candidates()', () => {
  it('gives probabilities relative to the likeliest, and their sum', () => {
    const { tokens, weights, total } = candidates(log(0.1, 0.4, 0.5), 1);
    expect(total).toBeCloseTo(2, 6);
    expect([...tokens]).toEqual([0, 1, 2]);
    expect(Array.from(weights, (weight) => weight.toFixed(6))).toEqual(['0.200000', '0.800000', '1.000000']);
    expect(candidates(log(0.25, 0.5), 0.5).total).toBeCloseTo(1.25, 6);
  });

  it('leaves out what counts as impossible, the sooner the colder', () => {
    const logits = Float32Array.of(-20, 3, -4, 0, -25);
    expect([...candidates(logits, 1).tokens]).toEqual([0, 1, 2, 3]);
    expect([...candidates(logits, 0.25).tokens]).toEqual([1, 3]);
    expect([...candidates(logits, 0.1).tokens]).toEqual([1]);
  });
});

describe('keepNucleus()', () => {
  it('keeps the fewest tokens that reach topP', () => {
    const logits = log(0.1, 0.5, 0.15, 0.25);
    expect(kept(logits, 1, 0.4)).toEqual([1]);
    expect(kept(logits, 1, 0.7)).toEqual([1, 3]);
    expect(kept(logits, 1, 0.8)).toEqual([1, 2, 3]);
    expect(kept(logits, 1, 0.99)).toEqual([0, 1, 2, 3]);
    expect(kept(logits, 0.1, 0.9)).toEqual([1]);
  });

  it('keeps the lower token of equals', () => {
    expect(kept(log(0.2, 0.4, 0.2, 0.2), 1, 0.75)).toEqual([0, 1, 2]);
  });

  it('returns what it keeps', () => {
    expect(keepNucleus(Float32Array.of(0.25, 1, 0.5, 0.25), 1.4)).toBe(1.5);
  });

  it('keeps the shortest beginning of the sorted weights that reaches what is wanted', () => {
    const arbitrary = fc.array(fc.double({ min: -30, max: 12, noNaN: true }), { minLength: 1, maxLength: 200 });
    const share = fc.double({ min: 0.01, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(arbitrary, share, (logits, topP) => {
        const { weights, total } = candidates(Float32Array.from(logits), 1);
        const wanted = topP * total;
        const sorted = [...weights].sort((a, b) => b - a);
        const mass = keepNucleus(weights, wanted);
        const left = [...weights].filter((weight) => weight > 0).sort((a, b) => b - a);
        expect(left).toEqual(sorted.slice(0, left.length));
        expect(mass).toBe(left.reduce((sum, weight) => sum + weight, 0));
        expect(mass).toBeGreaterThanOrEqual(wanted);
        expect(mass - left[left.length - 1]!).toBeLessThan(wanted);
      }),
    );
  });
});

describe('sampleToken()', () => {
  it('takes the likeliest at temperature 0, the first of equals', () => {
    const settings = { ...PLAIN, temperature: 0 };
    expect(sampleToken(Float32Array.of(1, 3, 2, 3), [], settings, drawing(0.99))).toBe(1);
    expect(sampleToken(Float32Array.of(1, 3, 2, 2.9), [1], { ...settings, repetitionPenalty: 1.2 }, drawing(0))).toBe(
      3,
    );
  });

  it('gives each kept token its share of the draws', () => {
    const draw = (u: number, topP: number) => sampleToken(log(0.2, 0.5, 0.3), [], { ...PLAIN, topP }, drawing(u));
    expect([0.19, 0.21, 0.69, 0.71, 0.81, 0.999].map((u) => draw(u, 1))).toEqual([0, 1, 1, 2, 2, 2]);
    // Without token 0, 0.5 and 0.3 share the whole: the border lies at 0.625.
    expect([0, 0.62, 0.63, 0.999].map((u) => draw(u, 0.8))).toEqual([1, 1, 2, 2]);
  });

  it('draws tokens as often as they are likely', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[sampleToken(log(0.2, 0.5, 0.3), [], PLAIN, randomStream('draws', i))]!++;
    expect(counts.map((count) => Math.round(count / 400) / 10)).toEqual([0.2, 0.5, 0.3]);
  });

  it('refuses logits that are not numbers', () => {
    const settings = { ...PLAIN, temperature: 0 };
    expect(() => sampleToken(Float32Array.of(Number.NaN, Number.NaN), [], settings, drawing(0))).toThrow(UserError);
  });

  it('holds with a vocabulary of equals', () => {
    expect(sampleToken(new Float32Array(50_000), [], { ...PLAIN, topP: 0.9 }, drawing(0.5))).toBe(22_500);
  });
});
