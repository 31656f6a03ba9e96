/** Tables of a known truth: how often do the intervals hold it, and how often do the tests cry wolf? */

import { type RandomStream, randomStream } from '../../src/foundation/random.ts';
import { nonInferiority, VERDICT_LEVEL } from '../../src/statistics/non-inferiority.ts';
import { pairedDifference } from '../../src/statistics/paired-difference.ts';
import { signFlipTest } from '../../src/statistics/sign-flip.ts';
import { clusteredRate, wilsonInterval } from '../../src/statistics/wilson.ts';

export interface Cell {
  documents: number;
  /** Intraclass correlation of the items of a document. */
  correlation: number;
  /** True rates of teacher and student. */
  teacher: number;
  student: number;
  /** Whether a document that is hard for one arm is hard for the other, too, or each arm has its own hard ones. */
  effects: 'shared' | 'own';
}

/** Shares of the simulated tables. */
export interface CellResult extends Cell {
  tables: number;
  /** 95% intervals that hold the true student rate: ours, and Wilson taking items as independent. */
  rateCoverage: number;
  plainWilsonCoverage: number;
  /** 95% intervals that hold the true difference. */
  diffCoverage: number;
  /** The two intervals ours is the hull of, each alone. */
  bcaCoverage: number;
  studentTCoverage: number;
  /** Sign-flip p values of at most 0.05; with equal rates and exchangeable arms the type-I error. */
  rejected: number;
  /** Verdicts `pass` at a margin of 3 points; at a true difference of -3 the error of the verdict. */
  passed: number;
}

const ITEMS = 5;
const MARGIN = 0.03;
const ALPHA = 0.05;

/** Items are Bernoulli(p_d) with p_d ~ Beta(p (1 - r) / r, (1 - p) (1 - r) / r) of each document: rate p, intraclass correlation r. */
export function simulateCell(cell: Cell, tables: number, resamples: number, seed: number): CellResult {
  const random = randomStream(seed, ...Object.values(cell));
  const difference = cell.student - cell.teacher;
  const held = { rate: 0, plain: 0, diff: 0, bca: 0, studentT: 0, rejected: 0, passed: 0 };
  for (let table = 0; table < tables; table++) {
    const documents = Array.from({ length: cell.documents }, () => document(cell, random));
    const students = documents.map(({ student }) => ({ successes: student, total: ITEMS }));
    const pairs = documents.map(({ teacher, student }) => ({ difference: student - teacher, total: ITEMS }));
    const { rate, interval } = clusteredRate(students);
    held.rate += Number(holds(interval, cell.student));
    held.plain += Number(holds(wilsonInterval(rate, cell.documents * ITEMS), cell.student));
    const paired = pairedDifference(pairs, { random, resamples });
    held.diff += Number(holds(paired.interval, difference));
    // Where all documents agree both have no width.
    held.bca += Number(holds(paired.parts?.bca ?? [paired.difference, paired.difference], difference));
    held.studentT += Number(holds(paired.parts?.studentT ?? [paired.difference, paired.difference], difference));
    held.rejected += Number(signFlipTest(pairs.map((pair) => pair.difference)) <= ALPHA);
    const onesided = pairedDifference(pairs, { random, resamples, level: VERDICT_LEVEL });
    held.passed += Number(nonInferiority(onesided, MARGIN, cell.documents).verdict === 'pass');
  }
  return {
    ...cell,
    tables,
    rateCoverage: held.rate / tables,
    plainWilsonCoverage: held.plain / tables,
    diffCoverage: held.diff / tables,
    bcaCoverage: held.bca / tables,
    studentTCoverage: held.studentT / tables,
    rejected: held.rejected / tables,
    passed: held.passed / tables,
  };
}

function document({ teacher, student, correlation, effects }: Cell, random: RandomStream) {
  const chance = beta(teacher, correlation, random);
  // Scaling keeps a document's difficulty and gives the student its own rate.
  const own = effects === 'shared' ? chance * (student / teacher) : beta(student, correlation, random);
  return { teacher: successes(chance, random), student: successes(own, random) };
}

function successes(chance: number, random: RandomStream): number {
  let count = 0;
  for (let item = 0; item < ITEMS; item++) if (random.uniform() < chance) count++;
  return count;
}

function beta(rate: number, correlation: number, random: RandomStream): number {
  if (rate === 1) return 1;
  const size = (1 - correlation) / correlation;
  const a = gamma(rate * size, random);
  return a / (a + gamma((1 - rate) * size, random));
}

/** Marsaglia and Tsang 2000; shapes below 1 by gamma(a) = gamma(a + 1) u^(1/a). */
function gamma(shape: number, random: RandomStream): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const x = random.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

const holds = ([low, high]: [number, number], truth: number) => low <= truth + 1e-12 && truth - 1e-12 <= high;
