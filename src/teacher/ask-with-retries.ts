/** The one owner of retries: exponential backoff with jitter, Retry-After, and nothing for failures that cannot pass. */

import { InterruptedError } from '../foundation/errors.ts';
import type { RandomStream } from '../foundation/random.ts';
import { type Teacher, TeacherFailure, type TeacherRequest, type TeacherResponse } from './teacher.ts';

/** First wait, doubled each time up to the longest; each wait is drawn between half of it and all, so that requests spread. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

export interface AskOptions {
  maxAttempts: number;
  /** Of these, tries that were made before; default: none. */
  tried?: number;
  /** No further try begins once this is aborted. */
  stop: AbortSignal;
  /** Tries in flight are cut off when this is aborted. */
  cut: AbortSignal;
  random: RandomStream;
  /** Awaited before each try (1, 2, ...), with the failure of the one before: room for the `sent` line. */
  beforeTry(attempt: number, previous: TeacherFailure | undefined): Promise<void>;
  /** Told of each failed try that will be repeated. */
  onRetry(failure: TeacherFailure): void;
  /** Resolves after `ms`, or rejects when the signal is aborted: the failure at hand is then the outcome. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export type Asked =
  | { ok: true; response: TeacherResponse; attempts: number }
  | { ok: false; failure: TeacherFailure; attempts: number };

/**
 * Asks until there is a response, the failure is not worth another try, or `maxAttempts` is reached.
 *
 * @throws InterruptedError when stopped before the first try, or cut off during one
 */
export async function askWithRetries(teacher: Teacher, request: TeacherRequest, options: AskOptions): Promise<Asked> {
  let previous: TeacherFailure | undefined;
  for (let attempt = (options.tried ?? 0) + 1; ; attempt++) {
    if (options.stop.aborted) {
      if (previous !== undefined) return { ok: false, failure: previous, attempts: attempt - 1 };
      throw new InterruptedError();
    }
    await options.beforeTry(attempt, previous);
    try {
      return { ok: true, response: await teacher.complete(request, options.cut), attempts: attempt };
    } catch (error) {
      if (!(error instanceof TeacherFailure)) throw error;
      if (error.scope !== 'retry' || attempt >= options.maxAttempts) {
        return { ok: false, failure: error, attempts: attempt };
      }
      options.onRetry(error);
      previous = error;
      try {
        await options.wait(waitBefore(attempt, error, options.random), options.stop);
      } catch {
        return { ok: false, failure: error, attempts: attempt };
      }
    }
  }
}

/**
 * Calls until it succeeds, for calls that cost nothing to repeat.
 *
 * @throws TeacherFailure of the last try; InterruptedError when stopped
 */
export async function callWithRetries<T>(
  call: () => Promise<T>,
  { maxAttempts, stop, random, wait }: Pick<AskOptions, 'maxAttempts' | 'stop' | 'random' | 'wait'>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    if (stop.aborted) throw new InterruptedError();
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TeacherFailure) || error.scope !== 'retry' || attempt >= maxAttempts) throw error;
      await wait(waitBefore(attempt, error, random), stop).catch(() => {});
    }
  }
}

/** Milliseconds to wait after try `attempt`: never less than the server asked for. */
export function waitBefore(attempt: number, failure: TeacherFailure, random: RandomStream): number {
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  return Math.max(failure.retryAfterMs ?? 0, backoff * (0.5 + 0.5 * random.uniform()));
}
