/**
 * The cleaning rules on the recorded teacher: what they drop of its real reformulations and of its imitated failures. The
 * figures by rule stand in eval/cleaning/README.md; here they are computed again.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { measureRules, renderFigures } from '../eval/cleaning/measure-rules.ts';
import { nearDuplicates } from '../src/corpus/near-duplicates.ts';

const figures = measureRules();
const all = figures.rules.at(-1)!;

test('eval/cleaning/README.md holds the figures of these rules (`npm run -s bench -- cleaning` writes it again)', () => {
  const page = readFileSync(fileURLToPath(new URL('../eval/cleaning/README.md', import.meta.url)), 'utf8');
  expect(renderFigures(figures)).toBe(page);
});

test('the rules drop at most 1% of the teacher and most of its worse failures', () => {
  expect(figures.texts).toEqual({ good: 1150, flawed: 160, worse: 80 });
  expect(all.good / figures.texts.good).toBeLessThanOrEqual(0.01);
  expect(all.worse / figures.texts.worse).toBeGreaterThan(0.95);
});

test("no two of the teacher's reformulations are near-duplicates", () => {
  const texts = readFileSync(fileURLToPath(new URL('../data/recorded/texts.jsonl', import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; kind: string; text: string });
  expect([...nearDuplicates(texts.filter(({ kind }) => kind === 'base'))]).toEqual([]);
});
