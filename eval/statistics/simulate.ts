/**
 * The simulation behind src/statistics, written to eval/statistics/simulation.json:
 *
 *   npx tsx eval/statistics/simulate.ts        about 25 minutes on one core
 */

import { writeFileSync } from 'node:fs';
import { type Cell, type CellResult, simulateCell } from './simulate-table.ts';

const TABLES = 2000;
const RESAMPLES = 2000;
const SEED = 20250204;

const cells: Cell[] = [];
for (const documents of [20, 50, 200]) {
  for (const correlation of [0.1, 0.3]) {
    // At 200 documents a cell takes ten times as long as at 20, and nothing happens between these rates.
    for (const rate of documents === 200 ? [0.6, 0.8, 0.95] : [0.6, 0.7, 0.8, 0.9, 0.95]) {
      for (const effects of documents === 200 ? (['shared'] as const) : (['shared', 'own'] as const)) {
        // Nothing lost: type-I error. Three points lost: the boundary of the verdict.
        cells.push({ documents, correlation, teacher: rate, student: rate, effects });
        cells.push({ documents, correlation, teacher: rate, student: rate - 0.03, effects });
      }
    }
    // A teacher at the ceiling, as the recorded one.
    for (const student of [0.95, 0.3]) cells.push({ documents, correlation, teacher: 1, student, effects: 'shared' });
  }
}

const results: CellResult[] = [];
for (const cell of cells) {
  results.push(simulateCell(cell, TABLES, RESAMPLES, SEED));
  console.error(`${results.length}/${cells.length} ${JSON.stringify(results.at(-1))}`);
}
const rows = results.map((result) => JSON.stringify(result)).join(',\n');
writeFileSync(new URL('simulation.json', import.meta.url), `[\n${rows}\n]\n`);

const worst = (list: CellResult[], value: (result: CellResult) => number, order: 'least' | 'most') =>
  (order === 'least' ? Math.min : Math.max)(...list.map(value)).toFixed(3);
for (const documents of [20, 50, 200]) {
  const at = results.filter((result) => result.documents === documents);
  const equal = at.filter((result) => result.teacher === result.student);
  const boundary = at.filter((result) => Math.abs(result.teacher - result.student - 0.03) < 1e-9);
  console.log(
    `${documents} documents: rate coverage >= ${worst(at, (r) => r.rateCoverage, 'least')} (plain Wilson ${worst(at, (r) => r.plainWilsonCoverage, 'least')}), ` +
      `diff coverage >= ${worst(at, (r) => r.diffCoverage, 'least')} (BCa alone ${worst(at, (r) => r.bcaCoverage, 'least')}, Student-t alone ${worst(at, (r) => r.studentTCoverage, 'least')}), type-I error <= ${worst(equal, (r) => r.rejected, 'most')}, ` +
      `wrong passes at -3 points <= ${worst(boundary, (r) => r.passed, 'most')}`,
  );
}
