import { expect, test } from 'vitest';
import type { ScoredItem } from '../validate/scored-item.ts';
import { devGain, devOutcome, failedDocuments } from './dev-outcome.ts';

const scored = (
  arm: string,
  stage: string,
  doc_id: string,
  item: string,
  usable: boolean,
  score: number | null = null,
): ScoredItem => ({ arm, model: 'm', stage, doc_id, item, usable, score });

const ROUND: ScoredItem[] = [
  scored('teacher', 'pairs', 'a', 'a', true),
  scored('student', 'pairs', 'a', 'a', false),
  scored('teacher', 'reformulate', 'a', 'a/1', true, 5),
  scored('student', 'reformulate', 'a', 'a/1', true, 3),
  scored('student', 'reformulate', 'b', 'b/1', false, 3),
  scored('teacher', 'reformulate', 'b', 'b/1', true, 4),
];

test('devOutcome() has shares of usable outputs, by stage and in all', () => {
  const found = devOutcome(ROUND);
  expect(found).toMatchObject({ documents: 2, usable: 1 / 3, teacher: 1 });
  expect(found.stages).toEqual([
    { stage: 'pairs', outputs: 1, student: 0, teacher: 1, student_rate: null, teacher_rate: null },
    { stage: 'reformulate', outputs: 2, student: 0.5, teacher: 1, student_rate: 1, teacher_rate: 1 },
  ]);
});

test('devGain() pairs by input, and knows nothing without shared ones', () => {
  const later = ROUND.map((item) => (item.arm === 'student' ? { ...item, usable: true } : item));
  const options = { seed: 1, resamples: 200 };
  expect(devGain(later, ROUND, options)!.gain).toBeCloseTo(2 / 3);
  expect(devGain(ROUND, later, options)!.gain).toBeCloseTo(-2 / 3);
  expect(devGain(ROUND.slice(2, 4), later, options)!.gain).toBe(0);
  expect(devGain(ROUND, [], options)).toBeNull();
});

test('failedDocuments() are those with any failure, worst first, then in the order tried', () => {
  const items = [
    scored('student', 'pairs', 'a', 'a', true),
    scored('student', 'reformulate', 'a', 'a/1', false),
    scored('student', 'pairs', 'b', 'b', false),
    scored('student', 'pairs', 'c', 'c', true),
    scored('student', 'pairs', 'd', 'd', false),
  ];
  expect(failedDocuments(items, ['d', 'c', 'b', 'a', 'never answered'])).toEqual(['d', 'b', 'a']);
});
