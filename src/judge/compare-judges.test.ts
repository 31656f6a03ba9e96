/** The choice between judges: the baseline stays unless another is clearly better. */

import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { compareJudges, distilledScore, type TwiceJudged } from './compare-judges.ts';

const OPTIONS = { seed: 3, resamples: 500 };

/** Texts of `documents` whose judges err by normal noise of these deviations; the student's scale is squeezed and shifted. */
function texts(seed: number, documents: number, noise: { local: number; student: number }): TwiceJudged[] {
  const random = randomStream('compare', seed);
  const level = (expected: number) => Math.min(5, Math.max(1, Math.round(expected)));
  return Array.from({ length: documents * 6 }, (_, i) => {
    const reference = 1 + random.integer(5);
    const expected = reference + noise.local * random.normal();
    const student = 2.5 + 0.2 * (reference + noise.student * random.normal());
    const kind = i % 2 === 0 ? 'student' : 'flawed';
    return {
      docId: `d${seed}-${Math.floor(i / 6)}`,
      kind,
      reference,
      local: { level: level(expected), expected },
      student,
    };
  });
}

const compare = (noise: { local: number; student: number }) =>
  compareJudges(texts(1, 40, noise), texts(2, 80, noise), OPTIONS);

test('compareJudges() keeps the local judge where the distilled one is worse, and says by how much', () => {
  const { used, compared } = compare({ local: 0.5, student: 3 });
  const [local, student, combined] = compared;
  expect(used).toBe('local');
  expect([local!.used, student!.used, combined!.used]).toEqual([true, false, false]);
  expect(student!.difference_ci![1]).toBeLessThan(0);
  expect(student!.difference).toBeCloseTo(student!.kappa! - local!.kappa!, 10);
});

test('compareJudges() uses a distilled judge that is better, with its own scale', () => {
  const { used, compared } = compare({ local: 2.5, student: 0.3 });
  expect(used).not.toBe('local');
  const chosen = compared.find((one) => one.used)!;
  expect(chosen.kind).toBe(used);
  expect(chosen.kappa).toBeGreaterThan(0.85);
  expect(chosen.difference_ci![0]).toBeGreaterThan(0);
});

test('compareJudges() keeps the local judge where the other misjudges one arm, however well it does in all', () => {
  // Of the arm `odd` the student knows the order of texts and not the level: it takes 2 for 4.
  const arms = (seed: number, documents: number) =>
    texts(seed, documents, { local: 2.5, student: 0.3 }).map((text, i): TwiceJudged => {
      if (i % 6 !== 0) return text;
      return { ...text, model: 'odd', reference: 2, student: 2.5 + 0.2 * 4 };
    });
  const { used, compared } = compareJudges(arms(1, 40), arms(2, 80), OPTIONS);
  const student = compared[1]!;
  expect(student.difference_ci![0]).toBeGreaterThan(0);
  expect(student.arms.map(({ arm, texts }) => [arm, texts])).toEqual([
    ['flawed', 240],
    ['odd', 80],
    ['student', 160],
  ]);
  expect(student.arms[1]!.rate_error).toBeGreaterThan(0.05);
  expect(used).toBe('local');
});

test('compareJudges() joins two judges that err apart', () => {
  const { used, compared, calibrations } = compare({ local: 1, student: 1 });
  expect(used).toBe('combined');
  expect(compared[2]!.kappa).toBeGreaterThan(Math.max(compared[0]!.kappa!, compared[1]!.kappa!));
  expect(calibrations.combined.localWeight).toBeGreaterThan(0);
});

test('compareJudges() keeps the local judge where a tie leaves it open', () => {
  const alike = (seed: number) =>
    texts(seed, 20, { local: 0.6, student: 1 }).map((text) => ({ ...text, student: text.local.expected }));
  expect(compareJudges(alike(4), alike(5), OPTIONS).used).toBe('local');
});

test('distilledScore() never falls as either judge thinks more of a text', () => {
  const { calibrations } = compare({ local: 1, student: 1 });
  const levels = Array.from({ length: 41 }, (_, i) => distilledScore(calibrations.combined, 3, 2.5 + i / 40).level);
  expect(levels).toEqual([...levels].sort((a, b) => a - b));
  expect(levels.at(-1)).toBeGreaterThan(levels[0]!);
});
