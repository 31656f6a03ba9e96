import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { language, mainScript } from '../../corpus/language.ts';
import { wordGrams, words } from '../../corpus/words.ts';
import { complete } from './complete.ts';
import { compressionRatio } from './compression-ratio.ts';
import { copiedShare } from './copied-share.ts';
import { isLooping } from './is-looping.ts';
import { isTruncated } from './is-truncated.ts';
import { keywordCoverage, keywords } from './keyword-coverage.ts';
import { loopScore } from './loop-score.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 200 });

test('words() keeps apostrophes and hyphens inside words and splits at everything else', () => {
  expect(words("Don't the mid-1980s “quotes” end—here, Café №5?")).toEqual([
    "don't",
    'the',
    'mid-1980s',
    'quotes',
    'end',
    'here',
    'café',
    '5',
  ]);
});

test('wordGrams() gives every run, and none for lists that are too short', () => {
  expect(wordGrams(['a', 'b', 'c'], 2)).toEqual(['a b', 'b c']);
  expect(wordGrams(['a', 'b', 'c'], 4)).toEqual([]);
});

describe('copiedShare()', () => {
  const source = 'one two three four five six seven eight nine ten';
  test('counts 8-word runs found in the source', () => {
    expect(copiedShare('ONE, two three four five six seven: eight nine', source)).toBe(1);
    // Three runs, of which "one .. eight" and "two .. nine" are the source's.
    expect(copiedShare('one two three four five six seven eight nine eleven', source)).toBeCloseTo(2 / 3, 12);
    expect(copiedShare('ten nine eight seven six five four three two one', source)).toBe(0);
  });
  test('takes a short text as one run, and an empty one as not copied', () => {
    expect(copiedShare('three four five', source)).toBe(1);
    expect(copiedShare('three five', source)).toBe(0);
    expect(copiedShare('', source)).toBe(0);
  });
  test('is 1 for any text against itself, and within 0..1', () => {
    fc.assert(fc.property(text, (t) => words(t).length === 0 || copiedShare(t, t) === 1));
    fc.assert(fc.property(text, text, (a, b) => copiedShare(a, b) >= 0 && copiedShare(a, b) <= 1));
  });
});

describe('keywordCoverage()', () => {
  test('compares stems of long words, and numbers, without function words', () => {
    expect([...keywords('They were observing 42 stars with the observatory')]).toEqual(['observ', '42', 'stars']);
    expect(keywordCoverage('An observer saw a planet', 'They were observing 42 stars')).toBeCloseTo(1 / 3, 12);
  });
  test('is 1 against itself and against a source without keywords', () => {
    fc.assert(fc.property(text, (t) => keywordCoverage(t, t) === 1));
    expect(keywordCoverage('', 'it was so')).toBe(1);
    expect(keywordCoverage('', 'stars')).toBe(0);
  });
});

test('loopScore() is the share of repeated 6-word runs', () => {
  const line = 'a b c d e f';
  expect(loopScore(line)).toBe(0);
  // Seven runs of which "a b c d e f" comes twice.
  expect(loopScore(`${line} ${line}`)).toBeCloseTo(1 / 7, 12);
  expect(loopScore('')).toBe(0);
});

test('compressionRatio() tells loops from prose', () => {
  expect(compressionRatio('')).toBe(1);
  expect(compressionRatio('The same line again. '.repeat(40))).toBeGreaterThan(10);
});

test('isLooping() sees a loop at the end of a long text', () => {
  const prose = Array.from({ length: 900 }, (_, i) => `w${(i * 7919) % 9973}`).join(' ');
  expect(isLooping(prose)).toBe(false);
  expect(isLooping(`${prose} ${'and so it went on '.repeat(60)}`)).toBe(true);
});

test('isTruncated() trusts the finish reason, then the last line', () => {
  expect(isTruncated('A whole sentence.', 'length')).toBe(true);
  expect(isTruncated('A whole sentence.', 'stop')).toBe(false);
  expect(isTruncated('Yours,\nMaud')).toBe(false);
  expect(isTruncated('It went on until the')).toBe(true);
});

test('complete() is an output that stopped by itself, holds something and does not loop', () => {
  expect(complete('A whole sentence.', true)).toBe(true);
  expect(complete('A whole sentence.', false)).toBe(false);
  expect(complete(' ', true)).toBe(false);
  expect(complete('la '.repeat(100), true)).toBe(false);
});

test('language() and mainScript() say nothing of texts that tell nothing', () => {
  expect(language('Hello.')).toBeUndefined();
  expect(mainScript('12 + 30 = 42')).toBeUndefined();
  expect(mainScript('Слово word слово')).toBe('Cyrillic');
});
