/** The tables at the end of a run: for people as text, for programs as one JSON line. */

import { existsSync, readFileSync } from 'node:fs';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { CommandIo } from './command.ts';
import { isJson } from './with-display.ts';

/**
 * Prints Table 1 of the run, if it has one, after what its rounds came to. Where stdout carries JSON lines, a line `{"type": "rounds", ...}`
 * holds rounds.json and a last line `{"type": "tables", ...}` table1.json, and the text goes to stderr.
 */
export async function printTables(folder: RunFolder, options: { json?: boolean }, io: CommandIo): Promise<void> {
  if (!existsSync(folder.table1)) return;
  const tables = JSON.parse(readFileSync(folder.table1, 'utf8')) as never;
  const { renderTables } = await import('../validate/render.ts');
  const { readSummary } = await import('../rounds/round-outcome.ts');
  const rounds = readSummary(folder);
  const text = [...(rounds ? [`Rounds\n${rounds.sentences.join('\n')}\n`] : []), renderTables(tables, 'text')].join(
    '\n',
  );
  if (isJson(options, io)) {
    if (rounds) io.stdout.write(`${JSON.stringify({ type: 'rounds', run: folder.root, ...rounds })}\n`);
    io.stdout.write(`${JSON.stringify({ type: 'tables', run: folder.root, tables })}\n`);
    io.stderr.write(`${text}\n`);
  } else {
    io.stdout.write(`\n${text}\n`);
  }
  const place = existsSync(folder.report) ? folder.report : folder.validation;
  io.stderr.write(`More in ${place}\n`);
}
