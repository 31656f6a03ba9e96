import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byQuality, keptCount } from './keep-best.ts';

const source = 'The harbour lantern burns above granite cliffs.';
const candidate = (id: string, score: number | null, more: { expected?: number; text?: string } = {}) => ({
  id,
  score,
  text: 'Nothing of it.',
  source,
  ...more,
});
const order = (candidates: ReturnType<typeof candidate>[], seed = 1) => byQuality(candidates, seed).map(({ id }) => id);

test('keptCount() is a number, a share, or the less of both', () => {
  expect(keptCount({ top: 3 }, 10)).toBe(3);
  expect(keptCount({ ratio: 0.25 }, 10)).toBe(3);
  expect(keptCount({ top: 9, ratio: 0.5 }, 10)).toBe(5);
  expect(keptCount({ top: 20 }, 10)).toBe(10);
  expect(keptCount({}, 10)).toBe(10);
});

test('byQuality() goes by score, then by the mean behind it, then by coverage of the source', () => {
  const rows = [
    candidate('unscored', null),
    candidate('4 surely', 4, { expected: 4.4 }),
    candidate('5 barely', 5, { expected: 4.6 }),
    candidate('4', 4),
    candidate('5', 5),
    candidate('4 covering', 4, { text: 'A lantern at the harbour, on granite cliffs.' }),
  ];
  expect(order(rows)).toEqual(['5', '5 barely', '4 surely', '4 covering', '4', 'unscored']);
});

test('byQuality() draws among equals by seed, whatever order they came in', () => {
  const equals = Array.from({ length: 12 }, (_, i) => candidate(`${i}`, 5));
  expect(order(equals, 1)).toEqual(order(equals, 1));
  expect(order(equals, 1)).not.toEqual(order(equals, 2));
});

test('nothing that is kept has a lower score than what is not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 99 }),
      (scores, ratio, seed) => {
        const ranked = byQuality(
          scores.map((score, i) => candidate(String(i), score)),
          seed,
        );
        const kept = keptCount({ ratio }, ranked.length);
        expect(kept).toBeGreaterThan(0);
        const worst = Math.min(...ranked.slice(0, kept).map(({ score }) => score!));
        for (const { score } of ranked.slice(kept)) expect(score).toBeLessThanOrEqual(worst);
      },
    ),
  );
});
