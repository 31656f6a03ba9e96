/** How rows come into DuckDB: through a temporary JSON Lines file, which it reads faster than single inserts. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlText } from './database.ts';

/** Largest row in bytes: a document of many pages and its answer. */
const MOST_BYTES = 2 ** 26;

/**
 * Calls `use` with an SQL table expression over the rows.
 *
 * @param columns SQL type of each column; fields without a column are ignored, missing ones are null
 */
export async function withJsonRows<T>(
  rows: readonly object[],
  columns: Readonly<Record<string, string>>,
  use: (table: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mga-rows-'));
  try {
    const path = join(folder, 'rows.jsonl');
    writeFileSync(path, rows.map((row) => JSON.stringify(row) + '\n').join(''));
    return await use(jsonTable(path, columns));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** SQL table expression over JSON Lines files (a path or a glob). `torn`: lines that are no JSON give rows of nulls instead of an error. */
export function jsonTable(path: string, columns: Readonly<Record<string, string>>, { torn = false } = {}): string {
  const types = Object.entries(columns).map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`);
  return `read_json(${sqlText(path)}, format = 'newline_delimited', maximum_object_size = ${MOST_BYTES}, ignore_errors = ${torn}, columns = {${types.join(', ')}})`;
}
