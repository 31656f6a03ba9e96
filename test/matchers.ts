/** Matchers for tensors. Importing this file registers them. */

import { expect } from 'vitest';

interface TensorLike {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

interface TensorMatchers<R = unknown> {
  /**
   * Same shape, and no element further away than `tolerance` x the largest expected magnitude (at least
   * SMALLEST_MAGNITUDE, so that tensors of zeros have a tolerance too). NaN is far from everything.
   */
  toBeNearTensor(expected: TensorLike, tolerance: number): R;
  /** |received - expected| <= tolerance x max(1, |expected|). */
  toBeRelativelyNear(expected: number, tolerance: number): R;
}

declare module 'vitest' {
  interface Matchers<T> extends TensorMatchers<T> {}
}

/** Test values are of order 1; what is a tenth of that may carry the rounding of what it was computed from. */
const SMALLEST_MAGNITUDE = 0.1;

expect.extend({
  toBeNearTensor(received: TensorLike, expected: TensorLike, tolerance: number) {
    if (received.shape.join() !== expected.shape.join() || received.data.length !== expected.data.length) {
      return { pass: false, message: () => `shape [${received.shape}], expected [${expected.shape}]` };
    }
    const magnitude = Array.from(expected.data).reduce((m, x) => Math.max(m, Math.abs(x)), SMALLEST_MAGNITUDE);
    let worst = 0;
    let where = -1;
    for (let i = 0; i < expected.data.length; i++) {
      const distance = Math.abs(received.data[i]! - expected.data[i]!);
      if (!(distance <= worst)) [worst, where] = [distance, i];
    }
    return {
      pass: worst <= tolerance * magnitude,
      message: () =>
        `off by ${worst} (allowed ${tolerance * magnitude}) at element ${where} of [${expected.shape}]: ` +
        `${received.data[where]}, expected ${expected.data[where]}`,
    };
  },
  toBeRelativelyNear(received: number, expected: number, tolerance: number) {
    const allowed = tolerance * Math.max(1, Math.abs(expected));
    return {
      pass: Math.abs(received - expected) <= allowed,
      message: () => `${received} is not within ${allowed} of ${expected}`,
    };
  },
});
