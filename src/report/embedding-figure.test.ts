import { expect, test } from 'vitest';
import { armClass } from './arms.ts';
import { kindSign } from './embedding-figure.ts';

const KINDS = [
  'source',
  'teacher',
  'base',
  'student',
  'student-w8a8',
  'slm-strict',
  'slm-relaxed',
  'strict',
  'relaxed',
];

test('kindSign() tells all kinds of a picture apart, and leaves the student its circle', () => {
  const kinds = KINDS.map((kind) => ({ kind, texts: 1, similarity: undefined, spread: undefined }));
  const signs = KINDS.map((kind) => kindSign(kind, kinds));
  expect(new Set(signs).size).toBe(KINDS.length);
  expect(signs[3]).toBe('○');
});

test('armClass() gives arms named for a variant the colour of its texts', () => {
  expect(['slm-strict', 'strict', 'slm-relaxed', 'big'].map(armClass)).toEqual([
    'arm-strict',
    'arm-strict',
    'arm-relaxed',
    'arm-other',
  ]);
});
