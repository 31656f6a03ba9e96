import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitIsotonic, isotonicAt } from './isotonic.ts';

const point = fc.record({
  x: fc.integer({ min: -20, max: 20 }),
  y: fc.double({ min: -5, max: 5, noNaN: true }),
  weight: fc.double({ min: 0.1, max: 3, noNaN: true }),
});
const points = fc.array(point, { minLength: 1, maxLength: 40 });

test('fitIsotonic() never falls, keeps the weighted mean, and stays within the values', () => {
  fc.assert(
    fc.property(points, (list) => {
      const fit = fitIsotonic(list);
      for (let i = 1; i < fit.y.length; i++) expect(fit.y[i]!).toBeGreaterThanOrEqual(fit.y[i - 1]!);
      const total = (value: (one: (typeof list)[number]) => number) =>
        list.reduce((sum, one) => sum + one.weight * value(one), 0);
      expect(total(({ x }) => isotonicAt(fit, x))).toBeCloseTo(
        total(({ y }) => y),
        6,
      );
      const ys = list.map(({ y }) => y);
      for (const at of [-100, 0.5, 100]) {
        expect(isotonicAt(fit, at)).toBeGreaterThanOrEqual(Math.min(...ys) - 1e-9);
        expect(isotonicAt(fit, at)).toBeLessThanOrEqual(Math.max(...ys) + 1e-9);
      }
    }),
  );
});

test('fitIsotonic() leaves what rises already, and interpolates', () => {
  const fit = fitIsotonic([1, 2, 4].map((x) => ({ x, y: x * x, weight: 1 })));
  expect(fit).toEqual({ x: [1, 2, 4], y: [1, 4, 16] });
  expect(isotonicAt(fit, 3)).toBe(10);
});

test('fitIsotonic() is no farther from the points than any other rising function', () => {
  fc.assert(
    fc.property(
      points,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 41, maxLength: 41 }),
      (list, steps) => {
        const fit = fitIsotonic(list);
        const error = (at: (x: number) => number) =>
          list.reduce((sum, { x, y, weight }) => sum + weight * (y - at(x)) ** 2, 0);
        const other = (x: number) => steps.slice(0, x + 21).reduce((sum, step) => sum + step, -5);
        expect(error((x) => isotonicAt(fit, x))).toBeLessThanOrEqual(error(other) + 1e-6);
      },
    ),
  );
});

test('fitIsotonic() centred has one knot a flat piece, at its mean', () => {
  const list = [1, 2, 4, 5].map((x, i) => ({ x, y: [1, 3, 2, 4][i]!, weight: i === 2 ? 3 : 1 }));
  expect(fitIsotonic(list, 'centred')).toEqual({ x: [1, 3.5, 5], y: [1, 2.25, 4] });
});

test('fitIsotonic() is what scikit-learn fits', () => {
  // IsotonicRegression(out_of_bounds='clip').fit(x, y, sample_weight=weight).predict(at), scikit-learn 1.7
  const x = [1.2, 1.5, 1.5, 2.1, 2.4, 2.9, 3.3, 3.8, 4.4, 4.6];
  const y = [1, 2, 1, 1, 3, 2, 2, 5, 3, 5];
  const weight = [1, 0.3, 1, 2, 1, 1, 0.5, 1, 1, 0.3];
  const fit = fitIsotonic(x.map((value, i) => ({ x: value, y: y[i]!, weight: weight[i]! })));
  const expected = [
    [0, 1],
    [1.3, 1.0303030303030303],
    [1.5, 1.090909090909091],
    [2, 1.090909090909091],
    [2.2, 1.527272727272728],
    [3, 2.4],
    [3.5, 3.04],
    [4, 4],
    [4.5, 4.5],
    [9, 5],
  ];
  for (const [at, value] of expected) expect(isotonicAt(fit, at!)).toBeCloseTo(value!, 9);
});
