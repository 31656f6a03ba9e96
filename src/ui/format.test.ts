import { expect, test } from 'vitest';
import { duration, oneLine, printable, rate, wrapLines } from './format.ts';

test.each([
  [0.4, '0 s'],
  [59.6, '1 min'],
  [200, '3 min 20 s'],
  [7200, '2 h'],
  [7500, '2 h 5 min'],
])('duration(%d) is %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('rate() turns to minutes below one a second', () => {
  expect(rate(3.24, 'requests')).toBe('3.2 requests/s');
  expect(rate(0.05, 'steps')).toBe('3.0 steps/min');
  expect(rate(1234.5, 'tokens')).toBe('1,235 tokens/s');
});

test('oneLine() collapses white space and cuts by characters, not by halves of them', () => {
  expect(oneLine('  a\n\n b\tc ', 9)).toBe('a b c');
  expect(oneLine('😀😀😀😀', 3)).toBe('😀😀…');
});

test('wrapLines() breaks between words and never exceeds the width', () => {
  expect(wrapLines('pairs: 6 of 6 kept', 9)).toEqual(['pairs: 6', 'of 6 kept']);
  expect(wrapLines('a verylongword b', 5)).toEqual(['a', 'very…', 'b']);
  expect(wrapLines('', 5)).toEqual([]);
});

test('printable() leaves a terminal nothing to obey', () => {
  expect(printable('a\u001b[2Jb\u0007\tc\nd\u009b1m')).toBe('a[2Jb c\nd1m');
  expect(oneLine('x\u001b]0;title\u0007y', 20)).toBe('x]0;titley');
});
