/** `mga validate --gate`: may these students be shipped? */

import { UserError } from '../foundation/errors.ts';
import type { StageTable, TableRow } from './table.ts';

/** `fail`: no student may have failed. `strict`: none may be undecided either. */
export type Gate = 'fail' | 'strict';

/**
 * Passes in silence where every student of every table is within the margin.
 *
 * @throws UserError naming each stage and arm that is not; the untrained model and arms of other origin are no candidates
 */
export function passGate(tables: readonly StageTable[], gate: Gate): void {
  const stopping = tables.flatMap((table) =>
    table.rows.filter((row) => stops(row, gate)).map((row) => `${table.stage}, ${row.arm}: ${finding(row, table)}`),
  );
  if (stopping.length === 0) return;
  throw new UserError(
    `Cannot pass the gate: ${stopping.join('; ')}`,
    'Train further, validate on more documents, or set validate.margin to what you can bear',
  );
}

function stops({ arm, candidate, verdict }: TableRow, gate: Gate): boolean {
  return (
    arm !== 'base' && candidate !== false && (verdict === 'fail' || (gate === 'strict' && verdict === 'undecided'))
  );
}

function finding(row: TableRow, { margin, reference }: StageTable): string {
  const points = (100 * row.diff!).toFixed(2);
  const needed =
    row.documents_needed === undefined ? '' : `, about ${row.documents_needed} more documents would decide`;
  return `${row.verdict} (${points} points from ${reference}, margin ${margin}${needed})`;
}
