/** Streams the ledger's segments in order. A torn last line of a segment (a kill during a write) is dropped and reported. */

import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import type { LedgerLine } from './ledger-lines.ts';

/** Where a line lies: byte offset and length in a segment file. */
export interface LinePosition {
  segment: string;
  offset: number;
  length: number;
}

export interface TornLine {
  segment: string;
  /** 1-based. */
  line: number;
  bytes: number;
}

const SEGMENT = /^\d{6}\.jsonl$/;
const NEWLINE = 0x0a;

/** File names of the segments, oldest first. */
export function ledgerSegments(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => SEGMENT.test(name))
        .sort()
    : [];
}

/**
 * Every whole line with its place, in the order written.
 *
 * @param onTorn told of each incomplete last line
 * @throws UserError for a damaged line that is not the last of its segment
 */
export async function* readLedger(
  folder: string,
  onTorn: (torn: TornLine) => void = () => {},
): AsyncGenerator<{ line: LedgerLine; position: LinePosition }> {
  for (const segment of ledgerSegments(folder)) {
    let number = 0;
    for await (const { bytes, offset, ended } of fileLines(join(folder, segment))) {
      number++;
      const line = parseLine(bytes);
      if (line !== undefined) yield { line, position: { segment, offset, length: bytes.length } };
      else if (!ended) onTorn({ segment, line: number, bytes: bytes.length });
      else {
        throw new UserError(
          `Cannot read ${join(folder, segment)}: line ${number} is not a ledger line`,
          'The file was changed by something else: restore it, or move that line out of the file',
        );
      }
    }
  }
}

/** Lines of a file as bytes; `ended` tells whether a newline closed them. */
async function* fileLines(path: string): AsyncGenerator<{ bytes: Buffer; offset: number; ended: boolean }> {
  let pending: Buffer[] = [];
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const bytes = Buffer.concat([...pending, chunk.subarray(start, end)]);
      yield { bytes, offset, ended: true };
      offset += bytes.length + 1;
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  const rest = Buffer.concat(pending);
  if (rest.length > 0) yield { bytes: rest, offset, ended: false };
}

function parseLine(bytes: Buffer): LedgerLine | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as LedgerLine | null;
    return typeof value?.type === 'string' && typeof value.key === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
