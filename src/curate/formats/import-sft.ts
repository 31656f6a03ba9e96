/** Training sets of other tools as rows. The format is told from the records, not from the file's name. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, UserError } from '../../foundation/errors.ts';
import { readParquet } from '../../store/parquet.ts';
import { readSft } from '../sft-arrow.ts';
import { forEachJsonLine } from '../sft-jsonl.ts';
import { type SftRow, toSftRow } from '../sft-row.ts';
import { decodeChat } from './chat-jsonl.ts';
import { decodeCurator } from './curator.ts';
import { decodeDistilabel } from './distilabel.ts';
import { decodeShareGpt } from './sharegpt.ts';
import { decodeStoredCompletion } from './stored-completion.ts';

type Fields = Record<string, unknown>;

/** Each format's way from a record to a row-like value, or to undefined for what is of another format. */
const DECODERS: Readonly<Record<string, (record: Fields) => Fields | undefined>> = {
  openai: (record) => decodeStoredCompletion(record) ?? decodeChat(record),
  curator: decodeCurator,
  sharegpt: decodeShareGpt,
  distilabel: decodeDistilabel,
  trl: (record) => (Array.isArray(record.prompt) ? record : undefined),
};

/** The formats a file can be held to. */
export const IMPORT_FORMATS: readonly string[] = Object.keys(DECODERS);

/** Asked in this order where no format is named: rows may keep fields of other formats beside the conversation. */
const GUESSES = ['trl', 'curator', 'openai', 'sharegpt', 'distilabel'];

/**
 * Reads rows from: conversational prompt-completion rows (TRL), chat rows (OpenAI), ShareGPT, distilabel and Curator records,
 * as JSON Lines, a JSON array or Parquet; or an Arrow folder.
 *
 * @param format one of IMPORT_FORMATS, for records that must be of it; default: told from each record
 * @throws UserError naming file and line (of a JSON array or Parquet: the row's number) of a record that is none of these
 */
export async function importSft(path: string, format?: string): Promise<SftRow[]> {
  if (!existsSync(path)) throw new UserError(`Cannot read ${path}: there is no such file or folder`);
  if (statSync(path).isDirectory() && existsSync(join(path, 'state.json'))) return readSft(path);
  const rows: SftRow[] = [];
  const seen = new Set<string>();
  for (const { record, where } of await readRecords(path)) {
    const row = toSftRow(decoded(record, where, format), where, rows.length + 1);
    const key = `${row.stage}\u0000${row.id}`;
    if (seen.has(key)) {
      throw new UserError(`Cannot read training row at ${where}: id "${row.id}" is not the first of its name`);
    }
    seen.add(key);
    rows.push(row);
  }
  if (rows.length === 0) throw new UserError(`Cannot read training rows: ${path} holds none`);
  return rows;
}

function decoded(record: unknown, where: string, format: string | undefined): unknown {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return record;
  const fields = record as Fields;
  for (const name of format === undefined ? GUESSES : [format]) {
    const found = DECODERS[name]!(fields);
    if (found) return found;
  }
  if (format === undefined) return fields;
  throw new UserError(
    `Cannot read training row at ${where}: it is no ${format} record`,
    'Leave the format out to have it told from each record',
  );
}

async function readRecords(path: string): Promise<{ record: unknown; where: string }[]> {
  const numbered = (list: readonly unknown[]) => list.map((record, i) => ({ record, where: `${path}, row ${i + 1}` }));
  if (path.endsWith('.parquet')) return numbered(await readParquet<unknown>(path));
  if (path.endsWith('.json')) {
    try {
      const list: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (Array.isArray(list)) return numbered(list);
    } catch (error) {
      throw new UserError(`Cannot read ${path}: ${errorMessage(error)}`, 'The file must be one JSON array');
    }
    throw new UserError(`Cannot read ${path}: it is no JSON array`, 'Name JSON Lines files .jsonl');
  }
  const records: { record: unknown; where: string }[] = [];
  forEachJsonLine(path, (record, line) => records.push({ record, where: `${path}:${line}` }));
  return records;
}
