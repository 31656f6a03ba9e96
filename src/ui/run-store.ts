/** What the screen shows, kept from events; tells its listener at most ten times a second. */

import type { CommandName, RunEvent } from '../foundation/events.ts';
import { afterEvent, type RunProgress, waitingRun } from '../pipeline/progress.ts';

/** Ten redraws a second are smooth; more would take time from the work. */
const REDRAW_EVERY_MS = 100;
/** A sample a person can read before the next one of its stage scrolls in. */
const SAMPLE_EVERY_MS = 1500;

/** A line that scrolls away above the live part. */
export type ScrolledItem = { key: number } & Extract<RunEvent, { type: 'sample-made' | 'log' }>;

export interface Screen {
  readonly run: RunProgress;
  readonly scrolled: readonly ScrolledItem[];
  /** ms since the epoch, for elapsed times. */
  readonly now: number;
}

export interface RunStore {
  emit(event: RunEvent): void;
  subscribe(listener: () => void): () => void;
  screen(): Screen;
  /** Tells the listeners now, and no more afterwards. */
  close(): void;
}

/** A store for the screen of `commands`. */
export function runStore(commands: readonly CommandName[], now: () => number = Date.now): RunStore {
  const listeners = new Set<() => void>();
  const lastSample = new Map<string, number>();
  let run = waitingRun(commands);
  let scrolled: readonly ScrolledItem[] = [];
  let screen: Screen = { run, scrolled, now: now() };
  let told = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    told = now();
    screen = { run, scrolled, now: told };
    for (const listener of listeners) listener();
  };
  const tellSoon = () => {
    if (timer) return;
    const wait = told + REDRAW_EVERY_MS - now();
    if (wait <= 0) tell();
    else timer = setTimeout(tell, wait);
  };
  // Elapsed times go on while nothing is reported.
  const clock = setInterval(tellSoon, 1000);
  clock.unref();

  return {
    emit(event) {
      run = afterEvent(run, event, now());
      if (event.type === 'log') scrolled = [...scrolled, { ...event, key: scrolled.length }];
      if (
        event.type === 'sample-made' &&
        now() - (lastSample.get(event.stage) ?? -SAMPLE_EVERY_MS) >= SAMPLE_EVERY_MS
      ) {
        lastSample.set(event.stage, now());
        scrolled = [...scrolled, { ...event, key: scrolled.length }];
      }
      tellSoon();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    screen: () => screen,
    close() {
      clearInterval(clock);
      tell();
      listeners.clear();
    },
  };
}
