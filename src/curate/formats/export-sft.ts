/** Training sets in the formats of other trainers. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../foundation/atomic-file.ts';
import type { SftRow } from '../sft-row.ts';
import { encodeChat } from './chat-jsonl.ts';
import { encodeShareGpt, shareGptInfo } from './sharegpt.ts';

export type ExportFormat = 'chat-jsonl' | 'prompt-completion' | 'sharegpt';

export const EXPORT_FORMATS: readonly ExportFormat[] = ['chat-jsonl', 'prompt-completion', 'sharegpt'];

/**
 * Writes the rows to `folder` as `<name>.jsonl` (chat for OpenAI, prompt-completion for TRL) or `<name>.json` (ShareGPT, with
 * an entry of that name in dataset_info.json, beside what that file already lists). Returns the data file's path.
 */
export function exportSft(rows: readonly SftRow[], format: ExportFormat, folder: string, name: string): string {
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
