/** The `run` part of status.json: where a run stands, also while it is live, for `mga status`. `collect` keeps a part of its own. */

import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { CommandName, RunEvent } from '../foundation/events.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { afterEvent, afterFailure, type CommandProgress, type RunProgress, waitingRun } from './progress.ts';

/** Often enough for a person who looks, seldom enough not to matter beside the work. */
const WRITE_EVERY_MS = 1000;

export interface RunStatus {
  state: 'running' | 'done' | 'failed' | 'interrupted';
  pid: number;
  startedAt: string;
  updatedAt: string;
  /** Why it stopped, for failed runs. */
  message?: string;
  /** Of a run with several rounds: the one that was begun last. */
  round?: { round: number; count: number };
  commands: readonly CommandProgress[];
  students: readonly {
    student: string;
    step: number;
    steps: number;
    loss: number | undefined;
    devLoss: number | undefined;
    tokensPerSecond: number;
    secondsLeft: number;
  }[];
}

export interface StatusWriter {
  /** Takes an event into account; writes at most once a second. */
  note(event: RunEvent): void;
  /** Writes the last word. */
  close(state: RunStatus['state'], message?: string): void;
}

/** Keeps status.json of the run up to date. */
export function statusWriter(
  folder: RunFolder,
  commands: readonly CommandName[],
  now: () => number = Date.now,
): StatusWriter {
  const startedAt = new Date(now()).toISOString();
  let run = waitingRun(commands);
  let written = Number.NEGATIVE_INFINITY;
  const write = (state: RunStatus['state'], message?: string) => {
    written = now();
    const status: RunStatus = {
      state,
      pid: process.pid,
      startedAt,
      updatedAt: new Date(now()).toISOString(),
      ...(message === undefined ? {} : { message }),
      ...(run.round ? { round: run.round } : {}),
      commands: run.commands,
      students: studentStatus(run),
    };
    writeFileAtomic(folder.status, `${JSON.stringify({ ...readParts(folder), run: status }, null, 1)}\n`);
  };
  return {
    note(event) {
      run = afterEvent(run, event, now());
      if (now() - written >= WRITE_EVERY_MS) write('running');
    },
    close(state, message) {
      if (state !== 'done') run = afterFailure(run, message ?? state);
      write(state, message);
    },
  };
}

/** The last written status of a run, or undefined where nothing has run. */
export function readStatus(folder: RunFolder): RunStatus | undefined {
  return readParts(folder).run as RunStatus | undefined;
}

function readParts(folder: RunFolder): Record<string, unknown> {
  return existsSync(folder.status) ? (JSON.parse(readFileSync(folder.status, 'utf8')) as Record<string, unknown>) : {};
}

function studentStatus(run: RunProgress): RunStatus['students'] {
  return run.students.map(({ student, steps, losses, devLosses, tokensPerSecond, secondsLeft }) => ({
    student,
    step: losses.at(-1)?.step ?? 0,
    steps,
    loss: losses.at(-1)?.loss,
    devLoss: devLosses.at(-1)?.loss,
    tokensPerSecond,
    secondsLeft,
  }));
}
