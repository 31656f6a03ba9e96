/** A small version of eval/statistics/simulate.ts: intervals hold the truth as often as they say. */

import { expect, test } from 'vitest';
import { simulateCell } from '../eval/statistics/simulate-table.ts';

const TABLES = 300;
/** Four Monte Carlo standard errors of a share of 0.05 among 300 tables. */
const TOLERANCE = 4 * Math.sqrt((0.05 * 0.95) / TABLES);

test('intervals and tests of clustered tables keep their promise at 50 documents', () => {
  const cell = { documents: 50, correlation: 0.3, teacher: 0.8, student: 0.8, effects: 'own' as const };
  const result = simulateCell(cell, TABLES, 500, 1);
  expect(result.rateCoverage).toBeGreaterThan(0.93 - TOLERANCE);
  expect(result.diffCoverage).toBeGreaterThan(0.93 - TOLERANCE);
  expect(result.rejected).toBeLessThan(0.05 + TOLERANCE);
  // What the correction is for: Wilson without the design effect.
  expect(result.plainWilsonCoverage).toBeLessThan(0.9);
});

test('a teacher at the ceiling and few documents', () => {
  const cell = { documents: 20, correlation: 0.3, teacher: 1, student: 0.95, effects: 'shared' as const };
  expect(simulateCell(cell, TABLES, 500, 1).diffCoverage).toBeGreaterThan(0.91 - TOLERANCE);
});

test('the verdict rarely passes a student that lost the whole margin', () => {
  const cell = { documents: 50, correlation: 0.1, teacher: 0.9, student: 0.87, effects: 'shared' as const };
  expect(simulateCell(cell, TABLES, 500, 1).passed).toBeLessThan(0.05 + TOLERANCE);
});
