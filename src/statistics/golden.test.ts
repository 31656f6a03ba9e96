/** Against scipy, statsmodels, scikit-learn, krippendorff and irrCAC: values recorded by eval/statistics/record_golden.py. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { clusterBootstrap } from './cluster-bootstrap.ts';
import { addTo } from './confusion.ts';
import { intraclassCorrelation } from './design-effect.ts';
import { agreementParts, gwetAc2 } from './gwet-ac2.ts';
import { holm } from './holm.ts';
import { coincidences, ordinalAlpha } from './krippendorff-alpha.ts';
import { mcnemarExact } from './mcnemar.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { pairedDifference } from './paired-difference.ts';
import { signFlipTest } from './sign-flip.ts';
import { studentTQuantile } from './student-t.ts';
import { weightedKappa } from './weighted-kappa.ts';
import { wilsonInterval } from './wilson.ts';

interface Golden {
  normalCdf: [number, number][];
  normalQuantile: [number, number][];
  studentTQuantile: [number, number, number][];
  wilson: [number, number, number, number][];
  mcnemar: [number, number, number][];
  holm: [number[], number[]][];
  signFlip: [number[], number][];
  icc: [[number, number][], number][];
  bca: [number[], number, number, number][];
  meanInterval: [number[], number, number, number];
  kappa: [number[], number[], number][];
  ratings: [number[][], number, number][];
}

const path = new URL('../../test/golden/statistics/values.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;

const sum = (vectors: Float64Array[]) =>
  vectors.reduce((total, vector) => total.map((value, i) => value + vector[i]!), new Float64Array(vectors[0]!.length));

test('normalCdf() and normalQuantile() equal scipy', () => {
  for (const [x, p] of golden.normalCdf) expect(Math.abs(normalCdf(x) - p)).toBeLessThan(1e-12 * Math.max(p, 1e-300));
  for (const [p, x] of golden.normalQuantile) expect(normalQuantile(p)).toBeCloseTo(x, 10);
});

test('studentTQuantile() equals scipy', () => {
  for (const [p, degrees, t] of golden.studentTQuantile)
    expect(studentTQuantile(p, degrees)).toBeCloseTo(t, degrees > 10_000 ? 3 : 7);
});

test('wilsonInterval() equals statsmodels', () => {
  for (const [successes, n, low, high] of golden.wilson) {
    const interval = wilsonInterval(successes / n, n);
    expect(interval[0]).toBeCloseTo(low, 12);
    expect(interval[1]).toBeCloseTo(high, 12);
  }
});

test('mcnemarExact() and holm() equal statsmodels', () => {
  for (const [b, c, p] of golden.mcnemar) expect(mcnemarExact(b, c)).toBeCloseTo(p, 9);
  for (const [values, adjusted] of golden.holm)
    for (const [i, p] of holm(values).entries()) expect(p).toBeCloseTo(adjusted[i]!, 12);
});

test('signFlipTest() equals the enumeration of scipy', () => {
  for (const [differences, p] of golden.signFlip) expect(signFlipTest(differences)).toBeCloseTo(p, 12);
});

test('intraclassCorrelation() equals the analysis of variance of statsmodels', () => {
  for (const [clusters, rho] of golden.icc)
    expect(intraclassCorrelation(clusters.map(([successes, total]) => ({ successes, total })))).toBeCloseTo(rho, 10);
});

test('clusterBootstrap() agrees with BCa of scipy within resampling error', () => {
  for (const [differences, size, low, high] of golden.bca) {
    const vectors = differences.map((difference) => [difference, size]);
    const options = { random: randomStream(1), resamples: 20_000 };
    const { interval } = clusterBootstrap(vectors, (total) => total[0]! / total[1]!, options);
    expect(Math.abs(interval[0] - low)).toBeLessThan(0.05 * (high - low));
    expect(Math.abs(interval[1] - high)).toBeLessThan(0.05 * (high - low));
  }
});

test('pairedDifference() is at least as wide as the t interval of scipy', () => {
  const [differences, size, low, high] = golden.meanInterval;
  const clusters = differences.map((difference) => ({ difference, total: size }));
  const { interval } = pairedDifference(clusters, { random: randomStream(1), resamples: 2000 });
  expect(interval[0]).toBeLessThanOrEqual(low + 1e-12);
  expect(interval[1]).toBeGreaterThanOrEqual(high - 1e-12);
  expect(interval[1] - interval[0]).toBeLessThan(1.2 * (high - low));
});

test('weightedKappa() equals scikit-learn', () => {
  for (const [first, second, kappa] of golden.kappa) {
    const documents = new Map<string, Float64Array>();
    for (const [i, score] of first.entries()) addTo(documents, 'all', score, second[i]!);
    expect(weightedKappa(documents.get('all')!)).toBeCloseTo(kappa, 12);
  }
});

test('ordinalAlpha() equals krippendorff, gwetAc2() equals irrCAC, with ratings missing', () => {
  for (const [units, alpha, ac2] of golden.ratings) {
    expect(ordinalAlpha(sum(units.map(coincidences)))).toBeCloseTo(alpha, 12);
    expect(gwetAc2(sum(units.map(agreementParts)))).toBeCloseTo(ac2, 10);
  }
});
