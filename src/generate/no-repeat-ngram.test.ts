import fc from 'fast-check';
import { expect, it } from 'vitest';
import { noRepeatNgram } from './no-repeat-ngram.ts';

const VOCABULARY = 6;
const forbidden = (tokens: number[], n: number): number[] => {
  const logits = new Float32Array(VOCABULARY);
  noRepeatNgram(logits, tokens, n);
  return [...logits.keys()].filter((token) => logits[token] === Number.NEGATIVE_INFINITY);
};

it('noRepeatNgram() forbids what followed the last n - 1 tokens before, and nothing where n is 0', () => {
  expect(forbidden([1, 2, 3, 1, 2], 3)).toEqual([3]);
  expect(forbidden([1, 2, 3, 1, 2, 4, 1, 2], 3)).toEqual([3, 4]);
  expect(forbidden([1, 2, 3, 1, 2], 4)).toEqual([]);
  expect(forbidden([1, 1], 1)).toEqual([1]);
  expect(forbidden([5, 5, 5], 2)).toEqual([5]);
  expect(forbidden([1, 2, 3, 1, 2], 0)).toEqual([]);
});

it('noRepeatNgram() leaves exactly the tokens that make no n-gram twice', () => {
  const token = fc.integer({ min: 0, max: VOCABULARY - 1 });
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (tokens, n) => {
      const ngrams = new Set(tokens.slice(0, tokens.length - n + 1).map((_, i) => tokens.slice(i, i + n).join()));
      const repeats = [...new Array(VOCABULARY).keys()].filter(
        (next) => tokens.length >= n - 1 && ngrams.has([...tokens, next].slice(-n).join()),
      );
      expect(forbidden(tokens, n)).toEqual(repeats);
    }),
  );
});
