import { describe, expect, it } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { predictedTotal } from './predicted-total.ts';

describe('predictedTotal()', () => {
  it('is the ratio estimator, with the interval worked out by hand', () => {
    // r = 12/6 = 2; residuals 0, 1, -1; x/N / mean(x) = 2.5/2; s^2 = (2 * 1.25^2) / 2; t(2) = 4.302653
    const sample = [
      { y: 2, x: 1 },
      { y: 5, x: 2 },
      { y: 5, x: 3 },
    ];
    const { estimate, halfWidth } = predictedTotal(sample, 10, 4);
    expect(estimate).toBe(20);
    expect(halfWidth).toBeCloseTo(4.302653 * 1.25 * Math.sqrt(16 / 3 + 4), 5);
  });

  it('has no spread where every unit costs the same, and no interval from one document', () => {
    const even = [1, 2, 5].map((x) => ({ x, y: 3 * x }));
    expect(predictedTotal(even, 7, 3)).toEqual({ estimate: 21, halfWidth: 0 });
    expect(predictedTotal([{ x: 2, y: 1 }], 8, 4)).toEqual({ estimate: 4, halfWidth: Number.POSITIVE_INFINITY });
    expect(predictedTotal([], 8, 4).estimate).toBeNaN();
    expect(predictedTotal(even, 0, 0)).toEqual({ estimate: 0, halfWidth: 0 });
  });

  it.each([
    [8, 30],
    [20, 200],
  ])('holds the true total in about 95 of 100 cases: %i documents tell of %i', (probed, rest) => {
    const random = randomStream('predicted-total', probed);
    // Lengths as of documents, skewed to the right; answers of 0.2 tokens a character, give or take a third.
    const document = () => {
      const x = Math.exp(7 + 0.6 * random.normal());
      return { x, y: 0.2 * x * Math.max(0, 1 + 0.33 * random.normal()) };
    };
    let held = 0;
    const runs = 1000;
    for (let run = 0; run < runs; run++) {
      const future = Array.from({ length: rest }, document);
      const sum = (key: 'x' | 'y') => future.reduce((total, one) => total + one[key], 0);
      const { estimate, halfWidth } = predictedTotal(Array.from({ length: probed }, document), sum('x'), rest);
      if (Math.abs(sum('y') - estimate) <= halfWidth) held++;
    }
    expect(held / runs).toBeGreaterThan(0.91);
    expect(held / runs).toBeLessThan(0.975);
  });
});
