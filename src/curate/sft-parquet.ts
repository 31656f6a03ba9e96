/** Training samples as Parquet, with the columns of the Arrow folders. */

import { writeParquet } from '../store/parquet.ts';
import type { SftRow } from './sft-row.ts';

const MESSAGES = 'STRUCT(role VARCHAR, content VARCHAR)[]';

const COLUMNS = {
  id: 'VARCHAR',
  doc_id: 'VARCHAR',
  stage: 'VARCHAR',
  prompt: MESSAGES,
  completion: MESSAGES,
  score: 'DOUBLE',
  distribution: 'DOUBLE[]',
  genre: 'VARCHAR',
  audience: 'VARCHAR',
};

/** Writes the rows in order; fields that a row does not have are null. */
export async function writeSftParquet(path: string, rows: readonly SftRow[]): Promise<void> {
  await writeParquet(path, rows, COLUMNS);
}
