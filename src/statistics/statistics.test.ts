/** What must hold of the statistics whatever the data, and their edges. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { clusterBootstrap } from './cluster-bootstrap.ts';
import { designEffect } from './design-effect.ts';
import { holm } from './holm.ts';
import { nonInferiority } from './non-inferiority.ts';
import { pairedDifference } from './paired-difference.ts';
import { signFlipTest } from './sign-flip.ts';
import { clusteredKappa } from './weighted-kappa.ts';
import { clusteredRate, wilsonInterval } from './wilson.ts';

const options = () => ({ random: randomStream(7), resamples: 2000 });

const cluster = fc
  .integer({ min: 1, max: 5 })
  .chain((total) => fc.record({ successes: fc.integer({ min: 0, max: total }), total: fc.constant(total) }));

test('wilsonInterval() holds the share, stays in 0..1 and narrows with n', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const p = Math.round(share * n) / n;
      const [low, high] = wilsonInterval(p, n);
      const [low4, high4] = wilsonInterval(p, 4 * n);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(p + 1e-12);
      expect(high).toBeGreaterThanOrEqual(p - 1e-12);
      expect(high4 - low4).toBeLessThan(high - low);
    }),
  );
});

test('clusteredRate() is never narrower than plain Wilson', () => {
  fc.assert(
    fc.property(fc.array(cluster, { minLength: 2, maxLength: 40 }), (clusters) => {
      const total = clusters.reduce((sum, { total }) => sum + total, 0);
      const { rate, interval } = clusteredRate(clusters);
      const plain = wilsonInterval(rate, total);
      expect(interval[1] - interval[0]).toBeGreaterThanOrEqual(plain[1] - plain[0] - 1e-12);
    }),
  );
});

test('designEffect() counts perfectly alike items of a document once', () => {
  const clusters = Array.from({ length: 40 }, (_, i) => ({ successes: i % 2 === 0 ? 5 : 0, total: 5 }));
  expect(designEffect(clusters)).toBeCloseTo(5, 10);
});

test('clusteredRate() of one document says nothing', () => {
  expect(clusteredRate([{ successes: 4, total: 5 }]).interval).toEqual([0, 1]);
});

test('signFlipTest() is 1 without a difference, ignores the sign, and equals its normal limit for many documents', () => {
  expect(signFlipTest([])).toBe(1);
  expect(signFlipTest([2, -2, 0])).toBe(1);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 60 }), (differences) => {
      const p = signFlipTest(differences);
      expect(p).toBeGreaterThan(0);
      expect(p).toBeLessThanOrEqual(1);
      expect(signFlipTest(differences.map((difference) => -difference))).toBeCloseTo(p, 12);
    }),
  );
  const random = randomStream(3);
  const many = Array.from({ length: 4000 }, () => random.integer(11) - 5);
  const few = signFlipTest(many);
  // Ten copies of the range leave the exact branch; the standardised sum is unchanged.
  expect(signFlipTest(many.map((difference) => difference * 100))).toBeCloseTo(few, 2);
});

test('signFlipTest() refuses fractions', () => {
  expect(() => signFlipTest([0.5])).toThrow(TypeError);
});

test('holm() never falls below the raw values and keeps their order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (values) => {
      const adjusted = holm(values);
      for (const [i, p] of adjusted.entries()) {
        expect(p).toBeGreaterThanOrEqual(values[i]!);
        for (const [j, q] of adjusted.entries()) if (values[i]! < values[j]!) expect(p).toBeLessThanOrEqual(q);
      }
    }),
  );
});

test('clusterBootstrap() repeats with its seed and leaves undefined resamples out', () => {
  const clusters = [
    [1, 1],
    [0, 0],
    [3, 4],
    [2, 5],
  ];
  const ratio = (sum: Float64Array) => sum[0]! / sum[1]!;
  const first = clusterBootstrap(clusters, ratio, options());
  expect(clusterBootstrap(clusters, ratio, options())).toEqual(first);
  expect(first.interval.every(Number.isFinite)).toBe(true);
});

test('pairedDifference() of agreeing documents leaves what their number leaves possible', () => {
  const clusters = Array.from({ length: 50 }, () => ({ difference: 0, total: 5 }));
  const { difference, interval } = pairedDifference(clusters, options());
  expect(difference).toBe(0);
  expect(interval[1]).toBeCloseTo(1 - 0.025 ** (1 / 50), 12);
  expect(interval[0]).toBe(-interval[1]);
});

test('nonInferiority() passes, fails and counts the documents that would decide', () => {
  const paired = (difference: number, half: number, deviation = 0.3) => ({
    difference,
    interval: [difference - half, difference + half] as [number, number],
    deviation,
  });
  expect(nonInferiority(paired(-0.01, 0.015, 0.063), 0.03, 50)).toEqual({ verdict: 'pass' });
  // The same bound, but a variance around the margin that would not allow it.
  expect(nonInferiority(paired(-0.01, 0.015, 0.09), 0.03, 50).verdict).toBe('undecided');
  expect(nonInferiority(paired(-0.09, 0.05), 0.03, 50)).toEqual({ verdict: 'fail' });
  // ((1.645 + 0.842) 0.3 / 0.03)^2 = 618.3
  expect(nonInferiority(paired(-0.01, 0.05), 0.03, 50)).toEqual({ verdict: 'undecided', documentsNeeded: 569 });
  expect(nonInferiority(paired(-0.03, 0.05), 0.03, 700)).toEqual({ verdict: 'undecided' });
});

test('clusteredKappa() is 1 for equal ratings and holds its estimate', () => {
  const pairs = Array.from({ length: 60 }, (_, i) => ({
    docId: `d${i % 12}`,
    first: (i % 5) + 1,
    second: (i % 5) + 1,
  }));
  expect(clusteredKappa(pairs, options()).estimate).toBe(1);
  const noisy = pairs.map((pair, i) => ({ ...pair, second: i % 3 === 0 ? Math.min(5, pair.second + 1) : pair.second }));
  const { estimate, interval } = clusteredKappa(noisy, options());
  expect(interval[0]).toBeLessThan(estimate);
  expect(interval[1]).toBeGreaterThan(estimate);
});
