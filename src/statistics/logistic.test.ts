import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { fitLogistic, type LogisticPoint, logisticAt } from './logistic.ts';

const random = randomStream('logistic');
const drawn = (count: number, intercept: number, slope: number) =>
  Array.from({ length: count }, (_, i): LogisticPoint => {
    const x = 1 + 4 * random.uniform();
    return { x, y: random.uniform() < logisticAt({ intercept, slope }, x), weight: 1 + (i % 3) };
  });

test('fitLogistic() stands where the likelihood of the smoothed targets is flat', () => {
  const points = drawn(150, -4, 1.5);
  const fit = fitLogistic(points);
  const sum = (y: boolean) => points.reduce((total, point) => total + (point.y === y ? point.weight : 0), 0);
  const [high, low] = [(sum(true) + 1) / (sum(true) + 2), 1 / (sum(false) + 2)];
  const slopes = [() => 1, (x: number) => x].map((by) =>
    points.reduce((total, { x, y, weight }) => total + weight * by(x) * (logisticAt(fit, x) - (y ? high : low)), 0),
  );
  for (const slope of slopes) expect(Math.abs(slope)).toBeLessThan(1e-6);
});

test('fitLogistic() finds the curve that points were drawn from', () => {
  const fit = fitLogistic(drawn(20_000, -4, 1.5));
  for (const x of [1, 2, 3, 4, 5]) {
    expect(logisticAt(fit, x)).toBeCloseTo(logisticAt({ intercept: -4, slope: 1.5 }, x), 1);
  }
});

test('fitLogistic() is never certain, and takes a feature of the wrong direction for none', () => {
  const apart = [1, 2, 4, 5].map((x) => ({ x, y: x > 3, weight: 1 }));
  const fit = fitLogistic(apart);
  expect(logisticAt(fit, 5)).toBeGreaterThan(0.7);
  expect(logisticAt(fit, 5)).toBeLessThan(0.99);
  expect(logisticAt(fit, 3)).toBeCloseTo(0.5, 6);
  const wrong = fitLogistic([1, 2, 3, 4, 5].map((x) => ({ x, y: x < 3, weight: 1 })));
  expect(wrong.slope).toBe(0);
  // 2 of 5 happened: targets 3/4 and 1/5, their mean 0.42.
  expect(logisticAt(wrong, 1)).toBeCloseTo(0.42, 12);
  expect(logisticAt(fitLogistic([]), 3)).toBe(0.5);
  const alike = fitLogistic([true, false].map((y) => ({ x: 3, y, weight: 1 })));
  expect(logisticAt(alike, 3)).toBeCloseTo(0.5, 6);
});
