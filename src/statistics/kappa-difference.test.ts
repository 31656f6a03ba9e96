import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { type ComparedScores, kappaDifference } from './kappa-difference.ts';
import { clusteredKappa } from './weighted-kappa.ts';

const random = randomStream(11);
const level = (value: number) => Math.min(5, Math.max(1, Math.round(value)));
const texts = Array.from({ length: 200 }, (_, i): ComparedScores => {
  const reference = 1 + random.integer(5);
  const score = (noise: number) => level(reference + noise * random.normal());
  return { docId: `d${i % 40}`, reference, first: score(1.5), second: score(0.5) };
});
const options = () => ({ random: randomStream(1), resamples: 1000 });

test('kappaDifference() is the difference of both kappas, above 0 for the better judge', () => {
  const kappa = (which: 'first' | 'second') => {
    const pairs = texts.map((text) => ({ docId: text.docId, first: text.reference, second: text[which] }));
    return clusteredKappa(pairs, options()).estimate;
  };
  const { estimate, interval } = kappaDifference(texts, options());
  expect(estimate).toBeCloseTo(kappa('second') - kappa('first'), 12);
  expect(interval[0]).toBeGreaterThan(0);
  expect(interval[1]).toBeGreaterThan(estimate);
});

test('kappaDifference() of two equal judges is 0, and turns its sign with their order', () => {
  const equal = kappaDifference(
    texts.map((text) => ({ ...text, second: text.first })),
    options(),
  );
  expect(equal).toEqual({ estimate: 0, interval: [0, 0] });
  const turned = kappaDifference(
    texts.map((text) => ({ ...text, first: text.second, second: text.first })),
    options(),
  );
  expect(turned.estimate).toBeCloseTo(-kappaDifference(texts, options()).estimate, 12);
});
