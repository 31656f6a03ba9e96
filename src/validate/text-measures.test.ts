import { expect, test } from 'vitest';
import { pairsMeasures, reformulationMeasures } from './text-measures.ts';

const SOURCE =
  'In 1783 the young John Goodricke watched Algol fade. It lost 1,300 units of light in 4.5 hours, said Pigott.';

test('reformulationMeasures() of the source itself keeps everything', () => {
  expect(reformulationMeasures(SOURCE, SOURCE)).toMatchObject({
    keyword_coverage: 1,
    kept_numbers: 1,
    kept_names: 1,
    longest_copied_words: 22,
    length_ratio: 1,
    looping: 0,
  });
});

test('reformulationMeasures() counts lost numbers and names and the longest copied run', () => {
  const text = 'Somebody saw that Goodricke watched Algol fade, back in 1783, and 1300 units were gone.';
  const found = reformulationMeasures(text, SOURCE);
  expect(found.kept_numbers).toBeCloseTo(2 / 3, 12);
  expect(found.kept_names).toBeCloseTo(2 / 4, 12);
  expect(found.longest_copied_words).toBe(4);
});

test('reformulationMeasures() leaves out shares of nothing', () => {
  expect(reformulationMeasures('a text', 'no figures here')).not.toHaveProperty('kept_numbers');
});

test('pairsMeasures() is 0 for five equal pairs and sees the words of the teacher', () => {
  const pair = { genre: 'personal letter', audience: 'young readers' };
  const equal = pairsMeasures([pair, pair, pair, pair, pair], [pair]);
  expect(equal).toEqual({ genre_spread: 0, audience_spread: 0, teacher_genre_words: 1, teacher_audience_words: 1 });
  const other = { genre: 'stage comedy', audience: 'retired sailors' };
  expect(pairsMeasures([pair, other], [other, { ...other, genre: 'lecture' }])).toMatchObject({
    genre_spread: 1,
    teacher_genre_words: 2 / 3,
  });
});
