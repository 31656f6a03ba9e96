import fc from 'fast-check';
import { expect, test } from 'vitest';
import { affordableDocuments, bestRound, nextRound } from './next-round.ts';

const settings = { count: 3, minGain: 1 };
const plenty = { left: 100, size: 10, affordable: Number.POSITIVE_INFINITY };

test('nextRound() goes on while rounds gain, and says why it does not', () => {
  const [first, good, poor] = [{ gain: null }, { gain: 0.02 }, { gain: 0.005 }];
  expect(nextRound([first], settings, plenty)).toEqual({ documents: 10 });
  expect(nextRound([first, good], settings, plenty)).toEqual({ documents: 10 });
  expect(nextRound([first, poor], settings, plenty)).toEqual({ stop: 'gain' });
  expect(nextRound([first, good, good], settings, plenty)).toEqual({ stop: 'count' });
  expect(nextRound([first], settings, { ...plenty, left: 0 })).toEqual({ stop: 'documents' });
  expect(nextRound([first], settings, { ...plenty, affordable: 0 })).toEqual({ stop: 'budget' });
});

test('nextRound() takes what is left or paid for where that is less than a round', () => {
  expect(nextRound([{ gain: null }], settings, { ...plenty, left: 4 })).toEqual({ documents: 4 });
  expect(nextRound([{ gain: null }], settings, { ...plenty, affordable: 7 })).toEqual({ documents: 7 });
});

test('a gain of exactly minGain is enough', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 100 }), (minGain) => {
      const at = nextRound([{ gain: null }, { gain: minGain / 100 }], { count: 9, minGain }, plenty);
      const below = nextRound([{ gain: null }, { gain: (minGain - 1) / 100 }], { count: 9, minGain }, plenty);
      expect([at, below]).toEqual([{ documents: 10 }, { stop: 'gain' }]);
    }),
  );
});

test('affordableDocuments() leaves a margin, and knows no bound without a cap or a price', () => {
  expect(affordableDocuments(undefined, 5, 10)).toBe(Number.POSITIVE_INFINITY);
  expect(affordableDocuments(1, 0, 10)).toBe(Number.POSITIVE_INFINITY);
  // 0.5 dollars a document; nine tenths of 5 dollars.
  expect(affordableDocuments(10, 5, 10)).toBe(9);
  expect(affordableDocuments(4, 5, 10)).toBe(0);
});

test('bestRound() has most usable dev outputs; of equals it is the later', () => {
  const round = (number: number, usable: number) => ({ round: number, dev: { usable } }) as never;
  expect(bestRound([round(1, 0.4), round(2, 0.6), round(3, 0.5)])).toBe(2);
  expect(bestRound([round(1, 0.6), round(2, 0.6), round(3, 0.5)])).toBe(2);
});
