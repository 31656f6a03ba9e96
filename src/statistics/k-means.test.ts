import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { kMeans } from './k-means.ts';

const options = () => ({ random: randomStream('k-means') });

/** `each` points around each of `count` far centres in 24 dimensions, mixed. */
function clouds(count: number, each: number): { points: number[][]; cloud: number[] } {
  const random = randomStream('clouds', count);
  const centres = Array.from({ length: count }, () => Array.from({ length: 24 }, () => 3 * random.normal()));
  const cloud = Array.from({ length: count * each }, (_, i) => i % count);
  return { cloud, points: cloud.map((of) => centres[of]!.map((x) => x + 0.3 * random.normal())) };
}

test('kMeans() finds clouds that lie apart', () => {
  const { points, cloud } = clouds(6, 30);
  const { labels, centres } = kMeans(points, 6, options());
  expect(centres).toHaveLength(6);
  // One label a cloud, and another one for each.
  expect(new Set(labels.map((label, i) => `${label} ${cloud[i]}`)).size).toBe(6);
});

test('kMeans() repeats itself, and leaves its points as they were', () => {
  const { points } = clouds(3, 10);
  const before = structuredClone(points);
  const first = kMeans(points, 5, options());
  expect(kMeans(points, 5, options())).toEqual(first);
  expect(points).toEqual(before);
});

test('kMeans() reaches the best clusters of four points on a line, known by hand', () => {
  const { labels, centres, inertia } = kMeans([[0], [1], [10], [12]], 2, options());
  expect([labels[0] === labels[1], labels[2] === labels[3], labels[0] !== labels[2]]).toEqual([true, true, true]);
  expect(centres.map(([x]) => x).sort((a, b) => a! - b!)).toEqual([0.5, 11]);
  expect(inertia).toBeCloseTo(0.5 + 2, 12);
});

test('kMeans() makes no more clusters than there are distinct points', () => {
  const { labels, centres, inertia } = kMeans(
    [
      [1, 2],
      [1, 2],
      [3, 4],
    ],
    5,
    options(),
  );
  expect(centres).toHaveLength(2);
  expect(labels[0]).toBe(labels[1]);
  expect(inertia).toBe(0);
  expect(() => kMeans([], 2, options())).toThrow('Cannot make 2 clusters of 0 points');
});

test('kMeans() leaves every point with its nearest centre, and every centre at the mean of its points', () => {
  const point = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (points, k) => {
      const { labels, centres } = kMeans(points, k, options());
      const distance = (i: number, cluster: number) =>
        points[i]!.reduce((sum, x, d) => sum + (x - centres[cluster]![d]!) ** 2, 0);
      for (const [i, label] of labels.entries()) {
        for (const cluster of centres.keys()) expect(distance(i, label)).toBeLessThanOrEqual(distance(i, cluster));
      }
      for (const [cluster, centre] of centres.entries()) {
        const own = points.filter((_, i) => labels[i] === cluster);
        for (const [d, x] of centre.entries()) {
          if (own.length > 0) expect(x).toBeCloseTo(own.reduce((sum, one) => sum + one[d]!, 0) / own.length, 9);
        }
      }
    }),
    { numRuns: 100 },
  );
});
