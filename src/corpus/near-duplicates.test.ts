import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { nearDuplicates } from './near-duplicates.ts';

const stream = randomStream('near-duplicates-test');
const randomWords = (count: number) => Array.from({ length: count }, () => `w${stream.integer(5000)}`);

test('nearDuplicates() finds the texts that differ in a word or two, and names the first', () => {
  const originals = Array.from({ length: 60 }, () => randomWords(200));
  const copies = originals.map((list) => list.with(100, 'changed'));
  const texts = [...originals, ...copies].map((list, i) => ({ id: String(i), text: list.join(' ') }));
  const found = nearDuplicates(texts);
  expect([...found.keys()]).toEqual(copies.map((_, i) => String(60 + i)));
  for (let i = 0; i < 60; i++) expect(found.get(String(60 + i))!.of).toBe(String(i));
  // 5 of 196 runs changed: 191 shared of 201.
  expect(found.get('60')!.similarity).toBeCloseTo(191 / 201, 10);
});

test('nearDuplicates() keeps texts that share half of their words', () => {
  const list = randomWords(200);
  const half = [...list.slice(0, 100), ...randomWords(100)];
  expect(nearDuplicates([list, half].map((words, i) => ({ id: String(i), text: words.join(' ') }))).size).toBe(0);
});

test('nearDuplicates() ignores case and punctuation, and compares texts shorter than a run whole', () => {
  const texts = ['One, two.', 'one TWO', 'one three', ''].map((text, i) => ({ id: String(i), text }));
  expect([...nearDuplicates(texts)]).toEqual([['1', { of: '0', similarity: 1 }]]);
});
