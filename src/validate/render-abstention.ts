/** The abstention curves of a label stage as tables: a field each, thresholds down, arms across. */

import { ROUND_THRESHOLDS } from '../statistics/abstention-curve.ts';
import type { Grid } from './render.ts';
import type { StageTable } from './table.ts';

/** One cell is `answered right`, in percent. Thresholds that no arm reaches are left out. */
export function abstentionGrids({ rows }: StageTable): Grid[] {
  const arms = rows.filter((row) => row.abstention !== undefined);
  const fields = [...new Set(arms.flatMap((row) => Object.keys(row.abstention!)))];
  return fields.map((field) => ({
    header: [`If sure of ${field}`, ...arms.map((row) => row.arm)],
    rows: ROUND_THRESHOLDS.map((threshold) => [
      threshold === 0 ? 'all' : `>= ${threshold}`,
      ...arms.map((row) => {
        const point = row.abstention![field]?.find((one) => one.threshold === threshold);
        return point === undefined ? '' : `${percent(point.answered)} ${percent(point.accuracy).padStart(4)}`;
      }),
    ]).filter(([, ...cells]) => cells.some((cell) => cell !== '')),
  }));
}

const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
