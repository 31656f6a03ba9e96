import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import { agreement } from './agreement.ts';
import { fitBoostedTrees, predictBoosted } from './boosted-trees.ts';
import { fitCutPoints, levelOf } from './cut-points.ts';
import {
  fitLocalJudge,
  type JudgeSample,
  type LocalModel,
  loadLocalModel,
  localJudge,
  localScores,
  saveLocalModel,
} from './local-judge.ts';

const WORDS =
  'basalt column lava crack meadow river glacier harbour lantern violin copper orchard thunder compass'.split(' ');

/** Documents of invented words, and texts that keep 0 to 5 fifths of their words: the score follows what is kept. */
function samples(documents: number, seed: number): JudgeSample[] {
  const random = randomStream(seed);
  const sentence = (words: string[]) => words.map((word) => `The ${word} stands near ${word}ness.`).join(' ');
  return Array.from({ length: documents }, (_, i) => {
    const vocabulary = random
      .shuffle(WORDS)
      .slice(0, 5)
      .map((word) => `${word}${String.fromCharCode(97 + (i % 26))}`);
    const document = { id: `d${i}`, text: sentence(vocabulary) };
    return [1, 2, 3, 4, 5].map((score): JudgeSample => {
      const kept = vocabulary.slice(0, score);
      const invented = Array.from({ length: 5 - score }, (_, j) => `zephyr${score}${j}`);
      return { document, text: sentence([...kept, ...invented]), score, kind: score === 5 ? 'base' : 'student' };
    });
  }).flat();
}

let model: LocalModel;
beforeAll(() => {
  model = fitLocalJudge(samples(40, 1), { seed: 1 });
});

test('fitLocalJudge() learns what is kept, and scores texts of other documents', () => {
  const held = samples(15, 2);
  const scores = localScores(model, held);
  const pairs = held.map((sample, i) => ({
    docId: sample.document.id,
    kind: sample.kind,
    reference: sample.score,
    score: scores[i]!.level,
  }));
  const report = agreement(pairs, { seed: 1, resamples: 200 });
  expect(report.kappa).toBeGreaterThan(0.9);
  expect(report.kappa_texts).toBe(60);
  expect(report.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(60);
  expect(report.by_kind.map((kind) => kind.kind)).toEqual(['student', 'base']);
});

test('fitLocalJudge() repeats with its seed and survives tiny data', () => {
  const few = samples(2, 3);
  expect(fitLocalJudge(few, { seed: 4 })).toEqual(fitLocalJudge(few, { seed: 4 }));
  const one = fitLocalJudge(few.slice(4, 5), { seed: 4 });
  expect(localScores(one, few.slice(0, 1))[0]!.level).toBe(5);
  expect(() => fitLocalJudge([], { seed: 0 })).toThrow(UserError);
});

test('a saved model scores like the fitted one; a model of other features is not loaded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'judge-'));
  const path = join(folder, 'judge.json');
  expect(loadLocalModel(path)).toBeUndefined();
  saveLocalModel(path, model);
  const held = samples(3, 5);
  expect(localScores(loadLocalModel(path)!, held)).toEqual(localScores(model, held));
  writeFileSync(path, JSON.stringify({ ...model, features: ['length'] }));
  expect(loadLocalModel(path)).toBeUndefined();
  rmSync(folder, { recursive: true });
});

test('localJudge() stops when told to', async () => {
  const judge = localJudge(model, { description: 'test' });
  await expect(judge.score([], AbortSignal.abort())).rejects.toThrow(InterruptedError);
});

test('fitBoostedTrees() finds an interaction that no sum of features shows', () => {
  const random = randomStream(9);
  const features = Array.from({ length: 400 }, () => [random.uniform(), random.uniform(), random.uniform()]);
  const target = ([a, b]: number[]) => (a! > 0.5 === b! > 0.5 ? 1 : 5);
  const trees = fitBoostedTrees({ features, targets: features.map(target), weights: features.map(() => 1) }, random);
  const wrong = features.filter((row) => Math.abs(predictBoosted(trees, row) - target(row)) > 2);
  expect(wrong.length).toBeLessThan(20);
});

test('fitCutPoints() corrects scores that shrink to the middle, and levelOf() counts the cuts', () => {
  const random = randomStream(2);
  const rows = Array.from({ length: 500 }, (_, i) => {
    const score = (i % 5) + 1;
    return { score, expected: 3.4 + 0.3 * (score - 3) + 0.05 * random.normal(), weight: 1 };
  });
  const cuts = fitCutPoints(rows);
  const right = rows.filter((row) => levelOf(row.expected, cuts) === row.score);
  expect(right.length).toBeGreaterThan(480);
  expect(levelOf(1, cuts)).toBe(1);
  expect(levelOf(5, cuts)).toBe(5);
});
