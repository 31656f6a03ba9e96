/** Shows the events of a run: a live screen in a terminal, JSON lines anywhere else. */

import type { CommandName, Emit } from '../foundation/events.ts';

/** Wider lines are harder to read, and a screen of 80 columns is what there always is. */
const WIDEST = 80;

/** Seven commands with what came of them, bars and the curve; a screen that does not fit flickers. */
const FULL_ROWS = 36;

export interface RunDisplay {
  emit: Emit;
  /** Leaves the last screen standing and gives the terminal back. */
  close(): Promise<void>;
}

export interface DisplaySettings {
  commands: readonly CommandName[];
  stdout: NodeJS.WriteStream;
  /** JSON lines even in a terminal. */
  json: boolean;
  env: NodeJS.ProcessEnv;
}

/** A display for the run's events. ink and React are loaded only for a terminal. */
export async function showRun({ commands, stdout, json, env }: DisplaySettings): Promise<RunDisplay> {
  if (json || !stdout.isTTY) {
    return {
      emit: (event) => stdout.write(`${JSON.stringify(event)}\n`),
      close: async () => {},
    };
  }
  const { showScreen } = await import('./screen.tsx');
  return showScreen({
    commands,
    stdout,
    width: Math.min(WIDEST, stdout.columns || WIDEST),
    // https://no-color.org: present and not empty, whatever its value.
    color: !env.NO_COLOR,
    compact: stdout.rows < FULL_ROWS,
  });
}
