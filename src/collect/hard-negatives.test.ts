import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loopScore } from '../curate/measures/loop-score.ts';
import { randomStream } from '../foundation/random.ts';
import { hardNegative, NEGATIVE_KINDS } from './hard-negatives.ts';

const GOOD =
  'The Giant is a hailstone of 1,000 grams. It fell in 2010 before the summer ended. Its rings are not painted. ' +
  'Warm air rises below the cloud. The largest stones need fast winds. Ice is clear where it froze slowly. ' +
  'Farmers can insure their crops. Roofs were broken in Vivian. A scientist has weighed it twice. It melted in the evening.';
const OTHER =
  'Bread needs flour, salt and patience. Knead the dough slowly on a board. Let it rest under a cloth. Bake it hot and short. Eat it warm.';
const make = (kind: (typeof NEGATIVE_KINDS)[number], seed: number) =>
  hardNegative(kind, GOOD, OTHER, randomStream(seed));
const seeds = Array.from({ length: 40 }, (_, i) => i);

test('hardNegative() of another document scores 1', () => {
  expect(make('swapped', 1)).toEqual({ text: OTHER, score: 1 });
});

test('hardNegative() that contradicts changes one sentence for 4, several for 3, nearly all for 2', () => {
  const changed = (text: string) => GOOD.split(/(?<=\.) /).filter((sentence) => !text.includes(sentence)).length;
  const made = seeds.map((seed) => make('contradicting', seed)!);
  expect(new Set(made.map(({ score }) => score))).toEqual(new Set([2, 3, 4]));
  for (const { text, score } of made) {
    if (score === 4) expect(changed(text)).toBe(1);
    if (score === 3) expect(changed(text)).toBe(4);
    if (score === 2) expect(changed(text)).toBeGreaterThanOrEqual(8);
  }
});

test('hardNegative() that contradicts turns numbers, opposites and negations round', () => {
  const all = seeds.map((seed) => make('contradicting', seed)!).filter(({ score }) => score === 2);
  const text = all[0]!.text;
  expect(text).not.toContain('1,000');
  expect(text).toMatch(/It fell in (19|20)\d\d before/);
  expect(text).not.toContain('2010');
  expect(text).toContain('air falls below');
  expect(text).toContain('rings are painted');
});

test('hardNegative() that is truncated is the beginning, broken off inside a sentence', () => {
  for (const seed of seeds) {
    const { text, score } = make('truncated', seed)!;
    expect(GOOD.startsWith(text)).toBe(true);
    expect(text).not.toMatch(/[.!?]$/);
    expect(text.length).toBeLessThan(0.75 * GOOD.length);
    expect(score).toBe(4);
  }
});

test('hardNegative() that loops or drifts begins faithfully, and scores by how long it does', () => {
  for (const seed of seeds) {
    const loop = make('looping', seed)!;
    expect(loopScore(loop.text)).toBeGreaterThan(0.2);
    const drift = make('drifting', seed)!;
    expect(drift.text).toContain('Bread needs flour');
    for (const { text, score } of [loop, drift]) {
      expect(text.startsWith('The Giant is a hailstone of 1,000 grams.')).toBe(true);
      expect(text.includes('Its rings are not painted.') ? 3 : 2).toBe(score);
      expect(text.length).toBeLessThanOrEqual(GOOD.length);
    }
  }
});

test('hardNegative() makes nothing of texts too short to spoil, and never throws', () => {
  for (const kind of ['contradicting', 'truncated', 'looping', 'drifting'] as const)
    expect(hardNegative(kind, 'Too short.', OTHER, randomStream(1))).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.constantFrom(...NEGATIVE_KINDS), fc.nat(), (good, other, kind, seed) => {
      const made = hardNegative(kind, good, other, randomStream(seed));
      if (made) expect([1, 2, 3, 4]).toContain(made.score);
    }),
  );
});
