import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FEATURE_NAMES, sourceOf, surfaceFeatures } from './features.ts';

const SOURCE = `Swifts arrive in early May and raise two or three chicks in a roof crevice. A swift weighs roughly 40 grams.
In 2016 researchers at Lund University showed that some birds stayed airborne for ten months. They do not walk.`;
const source = sourceOf(SOURCE);

test('surfaceFeatures() are finite for any texts, always the same names', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, other) => {
      const features = surfaceFeatures(text, sourceOf(other));
      expect(Object.keys(features)).toEqual(FEATURE_NAMES);
      for (const value of Object.values(features)) expect(Number.isFinite(value)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('surfaceFeatures() of a copy are complete and of another subject empty', () => {
  const copy = surfaceFeatures(SOURCE, source);
  for (const name of ['coverage', 'precision', 'pairCoverage', 'numberPrecision', 'relationPrecision', 'copied'])
    expect(copy[name], name).toBe(1);
  const other = surfaceFeatures('Bread needs flour, salt and patience. Knead it slowly.', source);
  for (const name of ['coverage', 'pairCoverage', 'sentenceMatch', 'copied']) expect(other[name], name).toBe(0);
  expect(other.ungrounded).toBe(1);
});

test('surfaceFeatures() see a swapped number in a sentence that has its ground', () => {
  const kept = surfaceFeatures('The swift weighs roughly forty grams.', source);
  const swapped = surfaceFeatures('The swift weighs roughly 4 grams.', source);
  expect(kept.numbersSwapped).toBe(0);
  expect(swapped.numbersSwapped).toBe(1);
  expect(kept.numberPrecision).toBe(1);
});

test('surfaceFeatures() see drift: a text that knows its source less and less', () => {
  const drifting =
    'Swifts arrive early and raise chicks in a roof crevice. Dragons guard golden mountains beyond purple oceans.';
  expect(surfaceFeatures(drifting, source).drift).toBeGreaterThan(0.5);
});
