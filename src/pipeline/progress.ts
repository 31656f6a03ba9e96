/** What is known of a run at a moment, folded from its events: for the terminal, and for status.json. */

import type { CommandName, RunEvent } from '../foundation/events.ts';

export const COMMANDS: readonly CommandName[] = [
  'collect',
  'curate',
  'train',
  'quantize',
  'export',
  'validate',
  'report',
];

export type CommandState = 'waiting' | 'running' | 'done' | 'skipped' | 'failed';

export interface Bar {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  /** Where this process began: `done` of the first event, and when (ms). Work kept from before does not count for the rate. */
  readonly from: number;
  readonly since: number;
  readonly updated: number;
}

export interface CommandProgress {
  readonly command: CommandName;
  readonly state: CommandState;
  /** What it works on while running; why it failed. */
  readonly detail: string;
  /** What came of each of its parts (students) so far, or why a part was skipped. */
  readonly outcomes: readonly string[];
  /** When the part at hand began (ms), and how long the parts before took. */
  readonly startedAt?: number;
  readonly seconds?: number;
  readonly bars: readonly Bar[];
}

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface StudentProgress {
  readonly student: string;
  readonly steps: number;
  readonly losses: readonly LossPoint[];
  readonly devLosses: readonly LossPoint[];
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

export interface RunProgress {
  readonly commands: readonly CommandProgress[];
  readonly students: readonly StudentProgress[];
  /** The round at work, of at most `count`; absent in a run of one. */
  readonly round?: { readonly round: number; readonly count: number };
}

/** A run of these commands before its first event. */
export function waitingRun(commands: readonly CommandName[] = COMMANDS): RunProgress {
  return {
    commands: commands.map((command) => ({ command, state: 'waiting', detail: '', outcomes: [], bars: [] })),
    students: [],
  };
}

/** The run after one more event, at `now` (ms since the epoch). */
export function afterEvent(run: RunProgress, event: RunEvent, now: number): RunProgress {
  switch (event.type) {
    case 'round-start':
      // Bars and curves of the round before would run into those of this one.
      return {
        commands: run.commands.map((command) => ({ ...command, bars: [] })),
        students: [],
        round: { round: event.round, count: event.count },
      };
    case 'command-start':
      return withCommand(run, event.command, (command) => ({
        ...command,
        state: 'running',
        detail: event.detail,
        startedAt: now,
      }));
    case 'command-progress':
      return withCommand(run, event.command, (command) => ({ ...command, bars: withBar(command.bars, event, now) }));
    case 'command-skip':
      return withCommand(run, event.command, (command) => ({
        ...command,
        state: command.state === 'done' ? 'done' : 'skipped',
        outcomes: [...command.outcomes, event.reason],
      }));
    case 'command-end':
      return withCommand(run, event.command, (command) => ({
        ...command,
        state: 'done',
        outcomes: [...command.outcomes, event.summary],
        seconds: (command.seconds ?? 0) + event.seconds,
      }));
    case 'step-end':
      return withStudent(run, event.student, (student) => ({
        ...student,
        steps: event.steps,
        losses: [...student.losses, { step: event.step, loss: event.loss }],
        tokensPerSecond: event.tokensPerSecond,
        secondsLeft: event.secondsLeft,
      }));
    case 'training-estimate':
      return withStudent(run, event.student, (student) => ({ ...student, secondsLeft: event.secondsLeft }));
    case 'dev-loss':
      return withStudent(run, event.student, (student) => ({
        ...student,
        devLosses: [...student.devLosses, { step: event.step, loss: event.loss }],
      }));
    case 'sample-made':
    case 'log':
      return run;
    default:
      return event satisfies never;
  }
}

/** The run after it stopped early: whatever was running has failed. */
export function afterFailure(run: RunProgress, message: string): RunProgress {
  const commands = run.commands.map((command) =>
    command.state === 'running' ? ({ ...command, state: 'failed', detail: message } as const) : command,
  );
  return { ...run, commands };
}

/** Units a second since this process began the bar; undefined before the first one. */
export function barRate(bar: Bar): number | undefined {
  const seconds = (bar.updated - bar.since) / 1000;
  return bar.done > bar.from && seconds > 0 ? (bar.done - bar.from) / seconds : undefined;
}

/** Seconds the rest of a bar takes at its rate so far. */
export function barSecondsLeft(bar: Bar): number | undefined {
  const rate = barRate(bar);
  return rate === undefined ? undefined : Math.max(0, bar.total - bar.done) / rate;
}

function withCommand(
  run: RunProgress,
  name: CommandName,
  change: (command: CommandProgress) => CommandProgress,
): RunProgress {
  return { ...run, commands: run.commands.map((command) => (command.command === name ? change(command) : command)) };
}

function withBar(bars: readonly Bar[], event: RunEvent & { type: 'command-progress' }, now: number): Bar[] {
  const { label, done, total, unit } = event;
  const old = bars.find((bar) => bar.label === label);
  const bar = { label, done, total, unit, from: old?.from ?? done, since: old?.since ?? now, updated: now };
  return old ? bars.map((other) => (other === old ? bar : other)) : [...bars, bar];
}

function withStudent(
  run: RunProgress,
  name: string,
  change: (student: StudentProgress) => StudentProgress,
): RunProgress {
  const fresh = { student: name, steps: 0, losses: [], devLosses: [], tokensPerSecond: 0, secondsLeft: 0 };
  const known = run.students.some((student) => student.student === name);
  const students = known ? run.students : [...run.students, fresh];
  return { ...run, students: students.map((student) => (student.student === name ? change(student) : student)) };
}
