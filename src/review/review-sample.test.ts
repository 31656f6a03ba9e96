import { expect, test } from 'vitest';
import { reviewSample } from './review-sample.ts';

const LEVELS = [5, 4, 3, 2, 1, null] as const;

/** 300 inputs an arm: the judge gives 5 to most of them, and each other score to some. */
const outputs = ['teacher', 'student'].flatMap((arm) =>
  Array.from({ length: 300 }, (_, i) => ({ arm, item: `d${i}/1`, judged: i < 270 ? 5 : LEVELS[1 + (i % 5)]! })),
);

const count = (sample: typeof outputs, arm: string, judged: number | null) =>
  sample.filter((output) => output.arm === arm && output.judged === judged).length;

test('arms share alike, and scores within an arm; what a rare score lacks the others have', () => {
  const sample = reviewSample(outputs, { size: 96, seed: 1 });
  for (const arm of ['teacher', 'student']) {
    expect(LEVELS.map((level) => count(sample, arm, level))).toEqual([18, 6, 6, 6, 6, 6]);
  }
  expect(reviewSample(outputs, { size: 5000, seed: 1 })).toHaveLength(600);
  expect(reviewSample([], { size: 10, seed: 1 })).toEqual([]);
});

test('a sample repeats by its seed, and a larger one contains it', () => {
  const small = reviewSample(outputs, { size: 40, seed: 3 });
  expect(reviewSample([...outputs].reverse(), { size: 40, seed: 3 })).toEqual(small);
  expect(reviewSample(outputs, { size: 40, seed: 4 })).not.toEqual(small);
  const large = new Set(reviewSample(outputs, { size: 80, seed: 3 }));
  expect(small.filter((output) => !large.has(output))).toEqual([]);
});

test('arms share their inputs', () => {
  const sample = reviewSample(outputs, { size: 60, seed: 2 });
  expect(new Set(sample.map(({ item }) => item)).size).toBe(30);
});

test('every output of a stratum has the same chance, also to come first', () => {
  const stratum = outputs.filter(({ arm, judged }) => arm === 'teacher' && judged === 5).slice(0, 20);
  const drawn = new Map<string, number>();
  const first = new Map<string, number>();
  const seeds = 2000;
  for (let seed = 0; seed < seeds; seed++) {
    const sample = reviewSample(stratum, { size: 5, seed });
    for (const { item } of sample) drawn.set(item, (drawn.get(item) ?? 0) + 1);
    first.set(sample[0]!.item, (first.get(sample[0]!.item) ?? 0) + 1);
  }
  // Four standard deviations of a binomial with 5 / 20, and with 1 / 20.
  for (const { item } of stratum) {
    expect(Math.abs(drawn.get(item)! / seeds - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / seeds));
    expect(Math.abs(first.get(item)! / seeds - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / seeds));
  }
});
