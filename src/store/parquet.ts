/** Rows as a Parquet file. */

import { renameSync, rmSync } from 'node:fs';
import { openMemoryStore, sqlText } from './database.ts';
import { withJsonRows } from './json-rows.ts';

/**
 * Writes rows to `path` (zstd), in order, whole or not at all.
 *
 * @param columns SQL type of each column, for example `{id: 'VARCHAR', prompt: 'STRUCT(role VARCHAR, content VARCHAR)[]'}`
 */
export async function writeParquet(
  path: string,
  rows: readonly object[],
  columns: Readonly<Record<string, string>>,
): Promise<void> {
  const database = await openMemoryStore();
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await withJsonRows(rows, columns, (table) =>
      database.run(`copy (select * from ${table}) to ${sqlText(temporary)} (format parquet, compression zstd)`),
    );
    renameSync(temporary, path);
  } finally {
    database.close();
    rmSync(temporary, { force: true });
  }
}

/** The rows of a Parquet file. */
export async function readParquet<T>(path: string): Promise<T[]> {
  const database = await openMemoryStore();
  try {
    return await database.query<T>(`select * from read_parquet(${sqlText(path)})`);
  } finally {
    database.close();
  }
}

/** DuckDB's own memory while a Parquet file streams through: some row groups. */
const STREAM_MEMORY = '256MB';

/** The rows of a Parquet file in order, as a stream: a file larger than memory is no trouble. */
export async function* parquetRows(path: string): AsyncGenerator<Record<string, unknown>> {
  const database = await openMemoryStore();
  try {
    await database.run(`set memory_limit = '${STREAM_MEMORY}'`);
    await database.run('set threads = 1');
    for await (const rows of database.stream(`select * from read_parquet(${sqlText(path)})`)) yield* rows;
  } finally {
    database.close();
  }
}
