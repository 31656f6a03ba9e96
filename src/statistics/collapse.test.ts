import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  anomalyThreshold,
  firstAnomalyPosition,
  lossDifferences,
  meanAndStd,
  positionHistogram,
  sumsByPosition,
  windowMeans,
  windowTokens,
} from './collapse.ts';

/** Zeros with `value` from `start` on for `length` tokens. */
function burst(size: number, start: number, length: number, value = 1): number[] {
  return Array.from({ length: size }, (_, i) => (i >= start && i < start + length ? value : 0));
}

describe('firstAnomalyPosition()', () => {
  it('finds where a burst fills the window, at its end or at its beginning', () => {
    // mean 0.1, std 0.3: threshold 0.7 at k = 2. Windows of 5 reach it with the 4th token of the burst.
    const sequence = burst(100, 40, 10);
    expect(anomalyThreshold(sequence, 2)).toBeCloseTo(0.1 + 2 * 0.3, 12);
    expect(firstAnomalyPosition(sequence)).toBe(0.43);
    expect(firstAnomalyPosition(sequence, { window: 'leading' })).toBe(0.39);
  });

  it('depends on k', () => {
    const sequence = burst(100, 40, 10);
    expect(firstAnomalyPosition(sequence, { k: 0 })).toBe(0.4);
    expect(firstAnomalyPosition(sequence, { k: 2.9 })).toBe(0.44);
    expect(firstAnomalyPosition(sequence, { k: 3.1 })).toBe(-1);
  });

  it('takes the first of several bursts, and one that begins the text', () => {
    const two = burst(200, 50, 10).map((value, i) => value + burst(200, 150, 10)[i]!);
    expect(firstAnomalyPosition(two)).toBe(0.285);
    expect(firstAnomalyPosition(burst(100, 0, 5))).toBe(0.04);
  });

  it('says -1 where nothing stands out: constant, falling alone, even, or no sequence', () => {
    for (const value of [0.1, 0.7, 1 / 3]) expect(firstAnomalyPosition(new Array<number>(99).fill(value))).toBe(-1);
    expect(firstAnomalyPosition(burst(100, 40, 10, -1))).toBe(-1);
    expect(firstAnomalyPosition(Array.from({ length: 100 }, (_, i) => i % 2))).toBe(-1);
    expect(firstAnomalyPosition([])).toBe(-1);
    expect(firstAnomalyPosition([3])).toBe(-1);
  });

  it('does not mistake a shift of the whole text for an anomaly: the threshold has the mean in it', () => {
    const noise = Array.from({ length: 400 }, (_, i) => Math.sin(i * 12.9898) * 0.5);
    for (const shift of [-3, 0, 3]) expect(firstAnomalyPosition(noise.map((value) => value + shift))).toBe(-1);
  });

  it('uses windows of one token in short texts', () => {
    expect([windowTokens(1), windowTokens(39), windowTokens(40), windowTokens(1000)]).toEqual([1, 1, 2, 50]);
    expect(firstAnomalyPosition(burst(20, 13, 1))).toBe(0.65);
  });

  it('is -1 or a position in the text, whatever the losses', () => {
    const losses = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { maxLength: 200 });
    fc.assert(
      fc.property(losses, fc.double({ min: 0, max: 4, noNaN: true }), (sequence, k) => {
        for (const window of ['trailing', 'leading'] as const) {
          const position = firstAnomalyPosition(sequence, { k, window });
          expect(position === -1 || (position >= 0 && position < 1)).toBe(true);
        }
      }),
    );
  });
});

describe('what it is made of', () => {
  it('subtracts the real-trained losses from the synthetic-trained ones', () => {
    expect([...lossDifferences([3, 2, 1], [1, 2, 3])]).toEqual([2, 0, -2]);
    expect(() => lossDifferences([1], [1, 2])).toThrow(RangeError);
  });

  it('means over full windows only', () => {
    expect([...windowMeans([1, 2, 3, 4], 2)]).toEqual([1.5, 2.5, 3.5]);
    expect([...windowMeans([1, 2], 3)]).toEqual([]);
  });

  it('mean and std over all values', () => {
    expect(meanAndStd([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, std: 2 });
    expect(meanAndStd([])).toEqual({ mean: 0, std: 0 });
  });

  it('counts positions by part of the text, and texts without one apart', () => {
    expect(positionHistogram([0, 0.09, 0.1, 0.999, -1, -1], 10)).toEqual({
      counts: [2, 1, 0, 0, 0, 0, 0, 0, 0, 1],
      none: 2,
    });
  });

  it('sums values by part of the text', () => {
    expect(sumsByPosition([1, 2, 3, 4, 5], 2)).toEqual([
      { sum: 6, count: 3 },
      { sum: 9, count: 2 },
    ]);
    expect(sumsByPosition([7], 3)).toEqual([
      { sum: 7, count: 1 },
      { sum: 0, count: 0 },
      { sum: 0, count: 0 },
    ]);
  });
});
