import { expect, test } from 'vitest';
import type { RatingLine } from '../store/ledger-lines.ts';
import { doubleRatings, peoplesScores, ratedScores, ratingKey, ratingsHash } from './ratings.ts';

const output = { arm: 'student', model: 'm', stage: 'reformulate', item: 'd/1', text: 'A text.' };

const line = (score: RatingLine['score'], more: Partial<RatingLine> = {}): RatingLine => ({
  type: 'rating',
  key: ratingKey(output),
  stage: 'reformulate',
  docId: 'd',
  item: 'd/1',
  arm: 'student',
  model: 'm',
  score,
  rater: 'ann',
  at: '2026-01-01T00:00:00.000Z',
  ...more,
});

test('of several ratings the last of each rater counts, of several raters the median', () => {
  const scoreOf = (...lines: RatingLine[]) => ratedScores(lines).get(ratingKey(output));
  expect(scoreOf(line(2), line(4))).toBe(4);
  expect(scoreOf(line(2), line(null))).toBeUndefined();
  expect(scoreOf(line(null, { skipped: true }))).toBeUndefined();
  expect(scoreOf(line(1), line(5, { rater: 'bob' }), line(4, { rater: 'cem' }), line(2))).toBe(4);
  expect(scoreOf(line(1), line(null), line(5, { rater: 'bob' }))).toBe(5);
});

test('a rating is of one text: another text of the same model is not rated', () => {
  const scores = peoplesScores([output, { ...output, item: 'd/2' }], [line(4)])!;
  const item = { ...output, doc_id: 'd', score: 3 };
  expect([scores(item), scores({ ...item, item: 'd/2' })]).toEqual([4, undefined]);
  expect(peoplesScores([{ ...output, text: 'Another text.' }], [line(4)])).toBeUndefined();
});

test('the hash of ratings follows what counts, not how it came about', () => {
  expect(ratingsHash([])).toBeUndefined();
  expect(ratingsHash([line(null, { skipped: true })])).toBeUndefined();
  expect(ratingsHash([line(2), line(4)])).toBe(ratingsHash([line(4)]));
  expect(ratingsHash([line(2)])).not.toBe(ratingsHash([line(4)]));
});

test('two people about one output are a pair, what one of them said twice is none', () => {
  const bob = { rater: 'bob' };
  expect(doubleRatings([line(2), line(4), line(null, { ...bob, skipped: true })])).toEqual([]);
  expect(doubleRatings([line(1, bob), line(5, { rater: 'cem' }), line(4)])).toEqual([
    { docId: 'd', first: 4, second: 1 },
    { docId: 'd', first: 4, second: 5 },
    { docId: 'd', first: 1, second: 5 },
  ]);
});
