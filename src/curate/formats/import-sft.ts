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

const DECODERS = [decodeCurator, decodeChat, decodeShareGpt, decodeDistilabel];

/**
 * Reads rows from: conversational prompt-completion rows (TRL), chat rows (OpenAI), ShareGPT, distilabel and Curator records,
 * as JSON Lines, a JSON array or Parquet; or an Arrow folder.
 *
 * @throws UserError naming file and line (of a JSON array or Parquet: the row's number) of a record that is none of these
 */
export async function importSft(path: string): Promise<SftRow[]> {
  if (!existsSync(path)) throw new UserError(`Cannot read ${path}: there is no such file or folder`);
  if (statSync(path).isDirectory() && existsSync(join(path, 'state.json'))) return readSft(path);
  const rows: SftRow[] = [];
  const seen = new Set<string>();
  for (const { record, where } of await readRecords(path)) {
    const row = toSftRow(decoded(record), where, rows.length + 1);
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

function decoded(record: unknown): unknown {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return record;
  const fields = record as Record<string, unknown>;
  if (Array.isArray(fields.prompt)) return fields;
  for (const decode of DECODERS) {
    const found = decode(fields);
    if (found) return found;
  }
  return fields;
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
