/** The whole loop at debug size: `mga run`, twice. */

import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../src/foundation/events.ts';
import { COMMANDS } from '../src/pipeline/progress.ts';
import { runMga } from './run-mga.ts';

/** The recipe promises under a minute; this is for machines that are busy with other tests. */
const TIMEOUT_MS = 300_000;

type Line =
  | RunEvent
  | { type: 'tables'; run: string; tables: { stage: string; rows: { arm: string; total: number }[] }[] };

const linesOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test(
  'mga run goes from documents to the table, and a second time skips everything',
  async () => {
    const folder = join(mkdtempSync(join(tmpdir(), 'mga-run-')), 'run');
    const args = ['run', 'recipes/debug.yaml', '--out', folder, '--set', 'train.maxSteps=2'];
    const first = await runMga(args);
    expect(first.stderr).toContain('Table 1, stage reformulate');
    expect(first.code).toBe(0);
    const lines = linesOf(first.stdout);
    const ended = lines.flatMap((line) => (line.type === 'command-end' ? [line.command] : []));
    expect([...new Set(ended)]).toEqual(COMMANDS);

    const last = lines.at(-1);
    if (last?.type !== 'tables') throw new Error(`the last line is ${last?.type}`);
    expect(last.tables.map(({ stage }) => stage)).toEqual(['pairs', 'reformulate']);
    for (const { rows } of last.tables) {
      expect(rows.map(({ arm }) => arm)).toEqual(['teacher', 'base', 'student', 'student-w8a8']);
      expect(new Set(rows.map(({ total }) => total)).size).toBe(1);
    }
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('</html>');
    for (const student of ['pairs', 'reformulate']) {
      expect(existsSync(join(folder, 'export', student, 'onnx', 'model_quantized.onnx'))).toBe(true);
    }

    const second = await runMga(args);
    expect(second.code).toBe(0);
    const events = linesOf(second.stdout);
    const begun = events.flatMap((event) => (event.type === 'command-start' ? [event.command] : []));
    const skipped = events.flatMap((event) => (event.type === 'command-skip' ? [event.command] : []));
    // The report is made of artifacts in a moment, so it is always written anew.
    expect(begun).toEqual(['report']);
    expect([...new Set(skipped)]).toEqual(COMMANDS.filter((command) => command !== 'report'));
    expect((await runMga(['status', folder])).stdout).toContain(`Run ${folder} is done`);
  },
  TIMEOUT_MS,
);
