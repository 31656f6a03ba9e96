import { expect, test } from 'vitest';
import { type JudgedAgain, shrinkage, shrinkageSentence } from './shrinkage.ts';

const options = { minScore: 4, seed: 1, resamples: 200 };
const judged = (docId: string, first: number, again: number | null): JudgedAgain => ({ docId, first, again });

test('shrinkage() is the mean and the rate at first and when judged again', () => {
  const found = shrinkage(
    'another judge',
    [judged('a', 5, 5), judged('a', 5, 2), judged('b', 4, 3), judged('b', 4, 4), judged('c', 5, null)],
    options,
  )!;
  expect(found).toMatchObject({ by: 'another judge', texts: 4, documents: 2, unscored: 1, mean: 4.5, mean_again: 3.5 });
  expect(found).toMatchObject({ rate: 1, rate_again: 0.75, lost: 0.5 });
  expect(found.rate_ci[0]).toBeLessThanOrEqual(-0.25);
  expect(found.rate_ci[1]).toBeGreaterThanOrEqual(-0.25);
  expect(shrinkageSentence(found)).toBe(
    '4 kept texts judged again by another judge, 1 without a score: mean 4.50 -> 3.50, Rate(>=3) 100.0% -> 75.0%; 2 would not be kept',
  );
});

test('shrinkage() of nothing is not known', () => {
  expect(shrinkage('x', [], options)).toBeUndefined();
  expect(shrinkage('x', [judged('a', 5, null)], options)).toBeUndefined();
});
