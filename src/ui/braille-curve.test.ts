import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brailleCurve } from './braille-curve.ts';

test('brailleCurve() draws a falling line from the upper left to the lower right', () => {
  const points = Array.from({ length: 8 }, (_, x) => ({ x, y: 8 - x }));
  expect(brailleCurve(points, { width: 4, height: 2, xMax: 8 })).toEqual(['⠑⢄⠀⠀', '⠀⠀⠑⢄']);
});

test('brailleCurve() leaves room for the steps to come, and takes one point or equal points', () => {
  expect(brailleCurve([{ x: 0, y: 3 }], { width: 3, height: 1, xMax: 100 })).toEqual(['⡀⠀⠀']);
  const flat = [
    { x: 0, y: 2 },
    { x: 9, y: 2 },
  ];
  expect(brailleCurve(flat, { width: 3, height: 1, xMax: 10 })).toEqual(['⣀⣀⣀']);
});

test('brailleCurve() is a block of braille of the asked size, whatever the points', () => {
  const point = fc.record({ x: fc.nat(500), y: fc.double({ min: -1e6, max: 1e6, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (points, width) => {
      const lines = brailleCurve(
        points.sort((a, b) => a.x - b.x),
        { width, height: 4, xMax: 300 },
      );
      expect(lines).toHaveLength(4);
      for (const line of lines) expect(line).toMatch(new RegExp(`^[\\u2800-\\u28ff]{${width}}$`));
    }),
  );
});
