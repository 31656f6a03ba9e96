/** Runs work under a display of its events: the live screen in a terminal, JSON lines elsewhere. */

import type { CommandName } from '../foundation/events.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { showRun } from '../ui/show-run.ts';
import type { CommandIo } from './command.ts';

export const DISPLAY_OPTIONS = {
  json: { type: 'boolean', description: 'Events as JSON lines, also in a terminal' },
} as const;

/** Whether events go out as JSON lines, so that stdout must hold nothing else. */
export function isJson({ json }: { json?: boolean }, { stdout }: CommandIo): boolean {
  return json === true || !stdout.isTTY;
}

/** Shows the events of `work` until it ends, however it ends. */
export async function withDisplay<T>(
  commands: readonly CommandName[],
  options: { json?: boolean },
  io: CommandIo,
  work: (context: RunContext) => Promise<T>,
): Promise<T> {
  const display = await showRun({ commands, stdout: io.stdout, json: options.json ?? false, env: io.env });
  try {
    return await work({ emit: display.emit, signal: io.signal });
  } finally {
    await display.close();
  }
}
