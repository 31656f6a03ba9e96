/** Confusion matrices under a table: how two ratings of the same texts meet, level by level. */

import type { Grid } from './render.ts';
import type { StageTable } from './table.ts';

const LEVELS = [1, 2, 3, 4, 5];

/** One a pair of raters that the table knows of; rows are the first of the two. */
export function confusionGrids({ judge, reliability }: StageTable): Grid[] {
  const known: [head: string, matrix: readonly (readonly number[])[] | undefined][] = [
    ['Reference judge \\ this one', judge.confusion],
    ['Judged \\ judged again', reliability?.repeats?.confusion],
    ['This judge \\ second judge', reliability?.second?.confusion],
    ['One person \\ another', reliability?.raters?.confusion],
  ];
  return known.flatMap(([head, matrix]) =>
    matrix === undefined
      ? []
      : {
          header: [head, ...LEVELS.map(String)],
          rows: LEVELS.map((level, i) => [String(level), ...matrix[i]!.map(String)]),
        },
  );
}
