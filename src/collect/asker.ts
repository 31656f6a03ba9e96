/** Asks the teacher what is missing, several requests at a time; each request and response is in the ledger before it counts. */

import { setMaxListeners } from 'node:events';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { TokenUsage } from '../store/ledger-lines.ts';
import { askWithRetries } from '../teacher/ask-with-retries.ts';
import { usdAtMost } from '../teacher/price.ts';
import type { RateLimit } from '../teacher/rate-headers.ts';
import type { Teacher, TeacherFailure } from '../teacher/teacher.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { type AskerParts, head, responseLine, stopError } from './ask-lines.ts';
import { askByBatch } from './batch-asker.ts';
import { Budget } from './budget.ts';
import type { Job } from './job.ts';

/** After a stop, requests in flight may still answer for this long: they are paid. */
const GRACE_MS = 10_000;

/** Requests in a row that failed after all their tries: the server is gone, and the rest would only wait as long. */
const GIVE_UP_AFTER = 25;

/**
 * Asks all `jobs` that have no response yet. Equal requests are asked once.
 *
 * @throws InterruptedError when stopped; UserError when going on is pointless (key, quota, server gone, disk full)
 */
export async function askAll(jobs: Iterable<Job>, parts: AskerParts): Promise<void> {
  const { recipe, teacher, ledger, signal } = parts;
  if (teacher.batches && goesByBatch(parts)) return askByBatch(jobs, parts, teacher.batches);
  const stop = new AbortController();
  const cut = new AbortController();
  // Each request in flight, and each that waits for its next try, listens to these.
  setMaxListeners(0, stop.signal, cut.signal);
  const limit = new AdaptiveLimit(recipe.collect.concurrency);
  const budget = new Budget(recipe, ledger.index);
  const claimed = new Set<string>();
  const inFlight = new Set<Promise<void>>();
  let fatal: unknown;
  let failedInARow = 0;
  let grace: NodeJS.Timeout | undefined;

  const halt = (reason: unknown) => {
    fatal ??= reason;
    grace ??= setTimeout(() => cut.abort(), GRACE_MS);
    stop.abort();
  };
  const onAbort = () => halt(new InterruptedError('Collecting was stopped; the same command goes on from here'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });

  /** Servers count a request with the answer it may have. */
  const heed = (limits: readonly RateLimit[], { request }: Job, usage?: TokenUsage) => {
    const tokens = (usage?.promptTokens ?? 0) + request.params.maxTokens;
    for (const { unit, left, resetMs } of limits) {
      limit.left(unit, unit === 'requests' ? left : Math.floor(left / tokens), resetMs);
    }
  };

  const ask = async (job: Job, most: number) => {
    const asked = await askWithRetries(teacher, job.request, {
      maxAttempts: recipe.collect.maxAttempts,
      stop: stop.signal,
      cut: cut.signal,
      random: randomStream(job.request.key, 'retry'),
      beforeTry: (attempt, previous) => {
        const lost = previous?.possiblyCharged === true;
        if (lost) {
          budget.keepReserved(most);
          if (!budget.reserve(most)) throw budget.error();
        }
        return ledger.append({
          type: 'sent',
          ...head(job, parts),
          attempt,
          ...(lost ? { afterLost: true } : {}),
          ...(most > 0 ? { usdAtMost: most } : {}),
        });
      },
      onRetry: (failure) => {
        heed(failure.limits, job);
        if (failure.overloaded) limit.overloaded(failure.retryAfterMs);
      },
      wait: parts.wait,
    });
    if (asked.ok) {
      const line = responseLine(job, asked.response, parts);
      await ledger.append(line);
      budget.settle(most, line.usd ?? 0);
      failedInARow = 0;
      limit.succeeded();
      heed(asked.response.limits ?? [], job, asked.response.usage);
      parts.onResponse(job, line);
      return;
    }
    const { failure, attempts } = asked;
    const final = failure.scope === 'refuse';
    if (failure.possiblyCharged) budget.keepReserved(most);
    else budget.settle(most, 0);
    await ledger.append({
      type: 'failure',
      ...head(job, parts),
      reason: failure.message,
      attempts,
      final,
      ...(failure.possiblyCharged ? { lost: true } : {}),
    });
    parts.onFailure(job, failure.message);
    if (failure.scope === 'stop') halt(stopError(teacher, failure));
    else if (!final && !stop.signal.aborted && ++failedInARow >= GIVE_UP_AFTER) halt(goneError(teacher, failure));
  };

  try {
    for (const job of jobs) {
      if (stop.signal.aborted) break;
      if (claimed.has(job.request.key)) continue;
      claimed.add(job.request.key);
      await limit.acquire((ms) => parts.wait(ms, stop.signal));
      const most = usdAtMost(job.request, recipe.teacher) ?? 0;
      // What is in flight may turn out cheaper than what is held back for it.
      let reserved = budget.reserve(most);
      while (!reserved && inFlight.size > 0) {
        await Promise.race(inFlight);
        reserved = budget.reserve(most);
      }
      if (!reserved) {
        limit.release();
        halt(budget.error());
        break;
      }
      const task = ask(job, most)
        .catch(halt)
        .finally(() => {
          limit.release();
          inFlight.delete(task);
        });
      inFlight.add(task);
    }
  } finally {
    await Promise.all(inFlight);
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort);
  }
  if (fatal !== undefined) throw fatal;
}

/** While a batch is open, what it holds must not be asked by another way. */
function goesByBatch({ recipe, teacher, ledger }: AskerParts): boolean {
  const wanted = recipe.teacher.kind === 'openai' && recipe.teacher.batch;
  return wanted || [...ledger.index.batches.values()].some(({ model }) => model === teacher.name);
}

function goneError(teacher: Teacher, failure: TeacherFailure): UserError {
  return new UserError(
    `Cannot go on asking teacher ${teacher.name}: ${GIVE_UP_AFTER} requests in a row failed, the last one with: ${failure.message}`,
    'Check the server, then run the same command again: everything answered so far is kept and not asked again',
  );
}
