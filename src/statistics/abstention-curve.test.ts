import fc from 'fast-check';
import { expect, test } from 'vitest';
import { abstentionCurve, ROUND_THRESHOLDS } from './abstention-curve.ts';

const answer = (confidence: number, right: boolean, docId = `${confidence} ${right}`) => ({ docId, confidence, right });

test('abstentionCurve() tells coverage and accuracy at every confidence, known by hand', () => {
  const curve = abstentionCurve([
    answer(0.97, true),
    answer(0.9, true),
    answer(0.65, false),
    answer(0.3, true),
    answer(0, false),
  ]);
  const at = (threshold: number) => curve.find((point) => point.threshold === threshold);
  expect(at(0)).toMatchObject({ answered: 1, accuracy: 3 / 5 });
  expect(at(0.3)).toMatchObject({ answered: 4 / 5, accuracy: 3 / 4 });
  expect(at(0.5)).toMatchObject({ answered: 3 / 5, accuracy: 2 / 3 });
  expect(at(0.65)).toMatchObject({ answered: 3 / 5, accuracy: 2 / 3 });
  expect(at(0.9)).toMatchObject({ answered: 2 / 5, accuracy: 1 });
  expect(at(0.97)).toMatchObject({ answered: 1 / 5, accuracy: 1 });
  // Nobody was as sure as that.
  expect(at(0.99)).toBeUndefined();
  expect(abstentionCurve([])).toEqual([]);
});

test('abstentionCurve() is exact at the round thresholds, however many confidences there are', () => {
  const confidence = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(confidence, fc.boolean()), { minLength: 1, maxLength: 400 }), (drawn) => {
      const answers = drawn.map(([sure, right], i) => answer(sure, right, `d${i % 7}`));
      const curve = abstentionCurve(answers);
      for (const threshold of ROUND_THRESHOLDS) {
        const given = answers.filter((one) => one.confidence >= threshold);
        const point = curve.find((one) => one.threshold === threshold);
        expect(point?.answered ?? 0).toBe(given.length / answers.length);
        if (point) expect(point.accuracy).toBeCloseTo(given.filter(({ right }) => right).length / given.length, 12);
      }
      const coverages = curve.map(({ answered }) => answered);
      expect(coverages).toEqual([...coverages].sort((a, b) => b - a));
      expect(curve.length).toBeLessThanOrEqual(108);
      for (const { accuracy, accuracy_ci } of curve) {
        expect(accuracy_ci[0]).toBeLessThanOrEqual(accuracy + 1e-12);
        expect(accuracy_ci[1]).toBeGreaterThanOrEqual(accuracy - 1e-12);
      }
    }),
    { numRuns: 50 },
  );
});
