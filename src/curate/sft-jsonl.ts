/** Training samples as JSON Lines, one conversational prompt-completion row a line, as TRL reads them. */

import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { type SftRow, toSftRow } from './sft-row.ts';

/** Reads rows from a file; empty lines are skipped. @throws UserError with the line number, for a line that is no row or a repeated id. */
export function readSftJsonl(path: string): SftRow[] {
  const rows: SftRow[] = [];
  const lineOf = new Map<string, number>();
  forEachJsonLine(path, (value, line) => {
    const row = toSftRow(value, `${path}:${line}`, rows.length + 1);
    const key = `${row.stage}\u0000${row.id}`;
    if (lineOf.has(key)) {
      throw new UserError(
        `Cannot read training row at ${path}:${line}: id "${row.id}" stands in line ${lineOf.get(key)} already`,
        'Give each row of a stage an id of its own, or leave ids out',
      );
    }
    lineOf.set(key, line);
    rows.push(row);
  });
  if (rows.length === 0) throw new UserError(`Cannot read training rows: ${path} is empty`, 'One JSON object a line');
  return rows;
}

/** Writes rows, one a line. */
export function writeSftJsonl(path: string, rows: readonly SftRow[]): void {
  writeFileAtomic(path, rows.map((row) => JSON.stringify(row) + '\n').join(''));
}

/** Calls `take` with each line's value and 1-based number. @throws UserError for an unreadable file or a line that is no JSON. */
export function forEachJsonLine(path: string, take: (value: unknown, line: number) => void): void {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`Cannot read ${path}: ${errorMessage(error)}`, 'Name a JSON Lines file');
  }
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line.replace(/^\uFEFF/, ''));
    } catch (error) {
      throw new UserError(`Cannot read ${path}:${i + 1}: ${errorMessage(error)}`, 'Each line must be one JSON object');
    }
    take(value, i + 1);
  });
}
