/** The tables at the end of a run: for people as text, for programs as one JSON line. */

import { existsSync, readFileSync } from 'node:fs';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { CommandIo } from './command.ts';
import { isJson } from './with-display.ts';

/**
 * Prints Table 1 of the run, if it has one. Where stdout carries JSON lines, a last line `{"type": "tables", ...}` holds
 * table1.json, and the text goes to stderr.
 */
export async function printTables(folder: RunFolder, options: { json?: boolean }, io: CommandIo): Promise<void> {
  if (!existsSync(folder.table1)) return;
  const tables = JSON.parse(readFileSync(folder.table1, 'utf8')) as never;
  const { renderTables } = await import('../validate/render.ts');
  const text = renderTables(tables, 'text');
  if (isJson(options, io)) {
    io.stdout.write(`${JSON.stringify({ type: 'tables', run: folder.root, tables })}\n`);
    io.stderr.write(`${text}\n`);
  } else {
    io.stdout.write(`\n${text}\n`);
  }
  const place = existsSync(folder.report) ? folder.report : folder.validation;
  io.stderr.write(`More in ${place}\n`);
}
