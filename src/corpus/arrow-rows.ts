/** Rows of an Arrow file, batch by batch: of a folder that Python's `save_to_disk` wrote, or any IPC stream or file. */

import { createReadStream } from 'node:fs';
import { RecordBatchReader } from 'apache-arrow';

/** The rows as plain objects, in order. Throws what Arrow throws for a damaged file. */
export async function* arrowRows(path: string): AsyncGenerator<Record<string, unknown>> {
  const reader = await RecordBatchReader.from(createReadStream(path));
  for await (const batch of reader) {
    for (const row of batch) yield JSON.parse(JSON.stringify(row, withoutBigInts)) as Record<string, unknown>;
  }
}

function withoutBigInts(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
