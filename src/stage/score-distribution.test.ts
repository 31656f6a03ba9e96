import { expect, test } from 'vitest';
import { medianScore } from './median-score.ts';
import { type DigitToken, expectedScore, scoreDistribution } from './score-distribution.ts';

const top = (shares: Record<string, number>): DigitToken['top'] =>
  Object.entries(shares).map(([token, share]) => [token, Math.log(share)]);

test('scoreDistribution() takes the tokens at the score, however they are spelled, and no others', () => {
  const response = '{"A": {"analysis": "3 of 5 points hold", "score": 4}}';
  const at = response.indexOf('4}');
  const digits = [
    { at: response.indexOf('3 of'), top: top({ '3': 1 }) },
    { at, top: top({ '4': 0.5, ' 5': 0.2, '"3': 0.1, many: 0.2 }) },
  ];
  const shares = scoreDistribution(response, digits)!;
  for (const [i, share] of [0, 0, 0.125, 0.625, 0.25].entries()) expect(shares[i]).toBeCloseTo(share, 12);
  expect(expectedScore(shares)).toBeCloseTo(4.125, 12);
  expect(scoreDistribution('4/5', [{ at: 0, top: top({ '4': 0.9 }) }])).toEqual([0, 0, 0, 1, 0]);
});

test('scoreDistribution() is undefined where nothing is known, or the weight lay elsewhere', () => {
  expect(scoreDistribution('4', undefined)).toBeUndefined();
  expect(scoreDistribution('4', [{ at: 3, top: top({ '4': 1 }) }])).toBeUndefined();
  expect(scoreDistribution('4', [{ at: 0, top: top({ '4': 0.3, four: 0.7 }) }])).toBeUndefined();
});

test('medianScore() is one of the scores; of two in the middle the lower', () => {
  expect([medianScore([5]), medianScore([5, 1, 4]), medianScore([2, 5]), medianScore([5, 3, 4, 1])]).toEqual([
    5, 4, 2, 3,
  ]);
});
