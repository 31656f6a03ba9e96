import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RandomStream, randomStream } from '../foundation/random.ts';
import { nucleus, penalizeRepetition, sampleToken } from './sample-token.ts';

const PLAIN = { temperature: 1, topP: 1, repetitionPenalty: 1 };
const log = (...probabilities: number[]) => Float32Array.from(probabilities, Math.log);
/** A stream whose draws are all `u`. */
const drawing = (u: number): RandomStream => ({ ...randomStream('unused'), uniform: () => u });
const tokens = (logits: Float32Array, temperature: number, topP: number) =>
  nucleus(logits, temperature, topP).map(({ token }) => token);

describe('penalizeRepetition()', () => {
  it('divides what is positive, multiplies what is negative, once a token', () => {
    const logits = Float32Array.of(2, -2, 2, -2, 0);
    penalizeRepetition(logits, new Set([0, 1, 4, 0]), 1.25);
    expect([...logits]).toEqual([Math.fround(1.6), -2.5, 2, -2, 0]);
  });
});

describe('nucleus()', () => {
  it('keeps the fewest tokens that reach topP, likeliest first', () => {
    const logits = log(0.1, 0.5, 0.15, 0.25);
    expect(tokens(logits, 1, 0.4)).toEqual([1]);
    expect(tokens(logits, 1, 0.7)).toEqual([1, 3]);
    expect(tokens(logits, 1, 0.8)).toEqual([1, 3, 2]);
    expect(tokens(logits, 1, 1)).toEqual([1, 3, 2, 0]);
  });

  it('takes the lower token of equals', () => {
    expect(tokens(log(0.25, 0.25, 0.25, 0.25), 1, 0.5)).toEqual([0, 1]);
  });

  it('narrows with low temperatures', () => {
    expect(tokens(log(0.1, 0.5, 0.15, 0.25), 0.1, 0.9)).toEqual([1]);
  });

  it('is the shortest beginning of the sorted distribution that reaches topP', () => {
    const logits = fc.array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: 1, maxLength: 200 });
    const topP = fc.double({ min: 0.01, max: 0.999, noNaN: true });
    const temperature = fc.double({ min: 0.2, max: 3, noNaN: true });
    fc.assert(
      fc.property(logits, topP, temperature, (values, share, heat) => {
        const kept = nucleus(Float32Array.from(values), heat, share);
        const weights = Array.from(Float32Array.from(values), (z) => Math.exp(z / heat)).sort((a, b) => b - a);
        const total = weights.reduce((a, b) => a + b, 0);
        const mass = (count: number) => weights.slice(0, count).reduce((a, b) => a + b, 0) / total;
        expect(mass(kept.length)).toBeGreaterThan(share - 1e-4);
        expect(mass(kept.length - 1)).toBeLessThan(share + 1e-4);
        const sorted = kept.map(({ token }) => Math.exp(Math.fround(values[token]!) / heat));
        for (const [i, weight] of sorted.entries()) expect(weight / weights[i]!).toBeCloseTo(1, 9);
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
    expect([0, 0.49, 0.51, 0.79, 0.81, 0.999].map((u) => draw(u, 1))).toEqual([1, 1, 2, 2, 0, 0]);
    // Without token 0, 0.5 and 0.3 share the whole: the border lies at 0.625.
    expect([0, 0.62, 0.63, 0.999].map((u) => draw(u, 0.8))).toEqual([1, 1, 2, 2]);
  });

  it('draws tokens as often as they are likely', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[sampleToken(log(0.2, 0.5, 0.3), [], PLAIN, randomStream('draws', i))]!++;
    expect(counts.map((count) => Math.round(count / 400) / 10)).toEqual([0.2, 0.5, 0.3]);
  });

  it('holds with a vocabulary of equals', () => {
    expect(sampleToken(new Float32Array(50_000), [], { ...PLAIN, topP: 0.9 }, drawing(0.5))).toBe(22_500);
  });
});
