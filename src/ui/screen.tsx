/** The live screen of a terminal. */

import { render } from 'ink';
import type { CommandName } from '../foundation/events.ts';
import { runStore } from './run-store.ts';
import { RunView } from './run-view.tsx';
import type { RunDisplay } from './show-run.ts';

export interface ScreenSettings {
  commands: readonly CommandName[];
  stdout: NodeJS.WriteStream;
  width: number;
  color: boolean;
  compact: boolean;
}

/** Renders events to the terminal until closed. */
export function showScreen({ commands, stdout, width, color, compact }: ScreenSettings): RunDisplay {
  const store = runStore(commands);
  const screen = render(<RunView store={store} width={width} color={color} compact={compact} />, {
    stdout,
    exitOnCtrlC: false,
    maxFps: 10,
  });
  return {
    emit: store.emit,
    async close() {
      store.close();
      // React takes the last state in after this turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      screen.unmount();
      await screen.waitUntilExit();
    },
  };
}
