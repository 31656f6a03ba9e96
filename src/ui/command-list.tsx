/** The commands of a run: what is done, what runs with its bars, what is still to come. */

import { Box, Text } from 'ink';
import { type Bar, barRate, barSecondsLeft, type CommandProgress, type CommandState } from '../pipeline/progress.ts';
import { count, duration, oneLine, rate, wrapLines } from './format.ts';
import { Tint, type Tone } from './tint.tsx';

const MARKS: Record<CommandState, { mark: string; tone: Tone }> = {
  waiting: { mark: '·', tone: 'quiet' },
  running: { mark: '▸', tone: 'busy' },
  done: { mark: '✓', tone: 'good' },
  skipped: { mark: '✓', tone: 'quiet' },
  failed: { mark: '✗', tone: 'bad' },
};

const NAME_CELLS = 10;
/** Mark, name and the spaces after them. */
const INDENT_CELLS = NAME_CELLS + 3;
const BAR_CELLS = 18;
const LABEL_CELLS = 14;

interface Layout {
  /** Columns. */
  width: number;
  /** One line a command, for low terminals. */
  compact: boolean;
}

export function CommandList({
  commands,
  now,
  ...layout
}: { commands: readonly CommandProgress[]; now: number } & Layout) {
  return (
    <Box flexDirection="column">
      {commands.map((command) => (
        <CommandRow key={command.command} command={command} now={now} {...layout} />
      ))}
    </Box>
  );
}

function CommandRow({ command, now, width, compact }: { command: CommandProgress; now: number } & Layout) {
  const { mark, tone } = MARKS[command.state];
  const running = command.state === 'running';
  const seconds = (command.seconds ?? 0) + (running ? (now - (command.startedAt ?? now)) / 1000 : 0);
  const time = running || command.seconds !== undefined ? duration(seconds) : '';
  const open = running || command.state === 'failed';
  const room = width - INDENT_CELLS - time.length - 1;
  // Of a part at work, a low terminal shows only that.
  const texts = [...(compact && open ? [] : command.outcomes), ...(open ? [command.detail] : [])];
  const lines = compact ? [oneLine(texts.join('; '), room)] : texts.flatMap((text) => wrapLines(text, room));
  const [first = '', ...others] = lines;
  const quiet = open ? {} : ({ tone: 'quiet' } as const);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        <Tint tone={tone}>{mark}</Tint> {command.command.padEnd(NAME_CELLS)}{' '}
        <Tint {...quiet}>{first.padEnd(room)}</Tint> {time}
      </Text>
      {others.map((text, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text have no other identity
        <Text key={i} wrap="truncate">
          {' '.repeat(INDENT_CELLS)}
          <Tint {...quiet}>{text}</Tint>
        </Text>
      ))}
      {running && command.bars.map((bar) => <ProgressBar key={bar.label} bar={bar} />)}
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
