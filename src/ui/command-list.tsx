/** The commands of a run: what is done, what runs with its bars, what is still to come. */

import { Box, Text } from 'ink';
import { type Bar, barRate, barSecondsLeft, type CommandProgress, type CommandState } from '../pipeline/progress.ts';
import { count, duration, oneLine, rate } from './format.ts';
import { Tint, type Tone } from './tint.tsx';

const MARKS: Record<CommandState, { mark: string; tone: Tone }> = {
  waiting: { mark: '·', tone: 'quiet' },
  running: { mark: '▸', tone: 'busy' },
  done: { mark: '✓', tone: 'good' },
  skipped: { mark: '✓', tone: 'quiet' },
  failed: { mark: '✗', tone: 'bad' },
};

const BAR_CELLS = 18;
const LABEL_CELLS = 14;

export function CommandList({
  commands,
  now,
  width,
}: {
  commands: readonly CommandProgress[];
  now: number;
  width: number;
}) {
  return (
    <Box flexDirection="column">
      {commands.map((command) => (
        <CommandRow key={command.command} command={command} now={now} width={width} />
      ))}
    </Box>
  );
}

function CommandRow({ command, now, width }: { command: CommandProgress; now: number; width: number }) {
  const { mark, tone } = MARKS[command.state];
  const seconds =
    command.seconds ?? (command.state === 'running' ? (now - (command.startedAt ?? now)) / 1000 : undefined);
  const time = seconds === undefined ? '' : duration(seconds);
  const room = width - 13 - time.length - 1;
  const detail = oneLine(command.detail, room).padEnd(room);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        <Tint tone={tone}>{mark}</Tint> {command.command.padEnd(10)}{' '}
        <Tint {...(command.state === 'running' ? {} : { tone: 'quiet' })}>{detail}</Tint> {time}
      </Text>
      {command.state === 'running' && command.bars.map((bar) => <ProgressBar key={bar.label} bar={bar} />)}
    </Box>
  );
}

/** `label ████░░ 12/40 steps  3.1 steps/min  9 min left` */
export function ProgressBar({ bar }: { bar: Bar }) {
  const filled = Math.round(BAR_CELLS * Math.min(1, bar.done / (bar.total || 1)));
  const perSecond = barRate(bar);
  const left = barSecondsLeft(bar);
  const finished = bar.done >= bar.total;
  const rest = [
    `${count(bar.done)}/${count(bar.total)} ${bar.unit}`,
    perSecond === undefined || finished ? '' : rate(perSecond, '').replace(' /', '/'),
    left === undefined || finished ? '' : `${duration(left)} left`,
  ];
  return (
    <Text wrap="truncate">
      {'  '}
      {oneLine(bar.label, LABEL_CELLS).padEnd(LABEL_CELLS)}{' '}
      <Tint tone={finished ? 'good' : 'busy'}>{'█'.repeat(filled)}</Tint>
      <Tint tone="quiet">{'░'.repeat(BAR_CELLS - filled)}</Tint> {rest.filter(Boolean).join('  ')}
    </Text>
  );
}
