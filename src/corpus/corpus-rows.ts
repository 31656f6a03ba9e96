/** The rows of a corpus file, whatever its format, one at a time. */

import { text as wholeText } from 'node:stream/consumers';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { parquetRows } from '../store/parquet.ts';
import type { CorpusFile } from './corpus-files.ts';
import { jsonLines } from './json-lines.ts';
import { openBytes } from './open-bytes.ts';

export interface CorpusRow {
  value: unknown;
  /** File and line or row, for messages. */
  where: string;
}

/** @throws UserError naming the file, and the line where there is one, of what cannot be read */
export async function* corpusRows(file: CorpusFile): AsyncGenerator<CorpusRow> {
  const { path, format, compression } = file;
  if (format === 'jsonl') {
    yield* jsonLines(path, compression);
    return;
  }
  try {
    if (format === 'text') {
      const text = (await wholeText(openBytes(path, compression))).replace(/^\uFEFF/, '');
      yield { value: { id: file.name, text }, where: path };
      return;
    }
    let number = 0;
    for await (const value of format === 'parquet' ? parquetRows(path) : await arrow(path)) {
      yield { value, where: `${path}, row ${++number}` };
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read ${path}: ${errorMessage(error).split('\n')[0]}`, 'The file seems damaged');
  }
}

/** Arrow is loaded only where a corpus is Arrow. */
async function arrow(path: string): Promise<AsyncGenerator<Record<string, unknown>>> {
  return (await import('./arrow-rows.ts')).arrowRows(path);
}
