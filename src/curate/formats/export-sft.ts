/** Training sets in the formats of other trainers. */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../foundation/atomic-file.ts';
import { writeSftParquet } from '../sft-parquet.ts';
import type { SftRow } from '../sft-row.ts';
import { encodeChat } from './chat-jsonl.ts';
import { encodeShareGpt, shareGptInfo } from './sharegpt.ts';

export const EXPORT_FORMATS = ['parquet', 'chat-jsonl', 'prompt-completion', 'sharegpt'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * Writes the rows to `folder` as `<name>.parquet`, `<name>.jsonl` (chat for OpenAI, prompt-completion for TRL) or `<name>.json` (ShareGPT, with
 * an entry of that name in dataset_info.json, beside what that file already lists). Returns the data file's path.
 */
export async function exportSft(
  rows: readonly SftRow[],
  format: ExportFormat,
  folder: string,
  name: string,
): Promise<string> {
  if (format === 'parquet') {
    const path = join(folder, `${name}.parquet`);
    mkdirSync(folder, { recursive: true });
    await writeSftParquet(path, rows);
    return path;
  }
  if (format === 'sharegpt') {
    const path = join(folder, `${name}.json`);
    writeFileAtomic(path, JSON.stringify(rows.map(encodeShareGpt), null, 1) + '\n');
    const infoPath = join(folder, 'dataset_info.json');
    const known = existsSync(infoPath) ? (JSON.parse(readFileSync(infoPath, 'utf8')) as Record<string, object>) : {};
    writeFileAtomic(infoPath, JSON.stringify({ ...known, [name]: shareGptInfo(`${name}.json`) }, null, 2) + '\n');
    return path;
  }
  const encode = format === 'chat-jsonl' ? encodeChat : (row: SftRow): object => row;
  const path = join(folder, `${name}.jsonl`);
  writeFileAtomic(path, rows.map((row) => JSON.stringify(encode(row)) + '\n').join(''));
  return path;
}
