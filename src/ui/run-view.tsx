/** The whole screen of a run: samples scroll by above, commands, bars and the loss curve stay below. */

import { Box, Static, Text } from 'ink';
import { useSyncExternalStore } from 'react';
import { CommandList } from './command-list.tsx';
import { LossCurve } from './loss-curve.tsx';
import type { RunStore } from './run-store.ts';
import { ScrolledLine } from './scrolled-line.tsx';
import { ColorContext } from './tint.tsx';

export interface RunViewProps {
  store: RunStore;
  /** Columns. */
  width: number;
  color: boolean;
  /** For low terminals: one line a command. */
  compact: boolean;
}

export function RunView({ store, width, color, compact }: RunViewProps) {
  const { run, scrolled, now } = useSyncExternalStore(store.subscribe, store.screen);
  const training = run.commands.some(({ command, state }) => command === 'train' && state === 'running');
  const student = run.students.at(-1);
  return (
    <ColorContext value={color}>
      <Static items={[...scrolled]}>{(item) => <ScrolledLine key={item.key} item={item} width={width} />}</Static>
      <Box flexDirection="column" width={width} marginTop={1}>
        {run.round ? (
          <Text>
            Round {run.round.round} of at most {run.round.count}
          </Text>
        ) : null}
        <CommandList commands={run.commands} now={now} width={width} compact={compact} />
        {training && student ? <LossCurve student={student} width={width} /> : null}
      </Box>
    </ColorContext>
  );
}
