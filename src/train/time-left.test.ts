import { expect, it } from 'vitest';
import { secondsAhead, secondsPerToken } from './time-left.ts';

it('takes the speed of the steps without the building of graphs, and dev losses as measured or at a third', () => {
  const perToken = secondsPerToken({ seconds: 14, buildSeconds: 4, tokens: 2000 });
  expect(perToken).toBe(0.005);
  const ahead = { tokens: 10_000, evaluations: 3, devTokens: 600 };
  expect(secondsAhead(ahead, perToken, 2)).toBe(50 + 6);
  expect(secondsAhead(ahead, perToken)).toBeCloseTo(50 + 3, 9);
});
