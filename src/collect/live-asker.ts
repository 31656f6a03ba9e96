/** Asks one provider for one answer a request, as many at a time as it takes. */

import { setMaxListeners } from 'node:events';
import { InterruptedError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { TokenUsage } from '../store/ledger-lines.ts';
import { askWithRetries } from '../teacher/ask-with-retries.ts';
import { usdAtMost } from '../teacher/price.ts';
import type { RateLimit } from '../teacher/rate-headers.ts';
import { head, responseLine } from './ask-lines.ts';
import type { Asking } from './asking.ts';
import type { Job } from './job.ts';
import type { Ticket } from './job-queue.ts';
import type { Provider } from './provider.ts';

/** Requests in a row that failed after all their tries: the server is gone, and the rest would only wait as long. */
const GIVE_UP_AFTER = 25;

/** Takes jobs from the queue while the provider has room, until there are none, the provider is set aside, or all is halted. */
export async function askLive(provider: Provider, asking: Asking): Promise<void> {
  const { queue, budget } = asking;
  const { wait } = asking.parts;
  const stop = AbortSignal.any([asking.stop, provider.aside]);
  setMaxListeners(0, stop);
  const inFlight = new Set<Promise<void>>();
  try {
    while (!stop.aborted) {
      await provider.limit.acquire((ms) => wait(ms, AbortSignal.any([stop, queue.drained])));
      const ticket = stop.aborted ? undefined : await queue.take(provider);
      if (ticket === undefined) {
        provider.limit.release();
        break;
      }
      const most = usdAtMost(ticket.job.request, provider.settings) ?? 0;
      if (!(await asking.reserve(most))) {
        provider.limit.release();
        queue.giveBack(ticket);
        asking.halt(budget.error());
        break;
      }
      const task = asking
        .track(ask(ticket, most, provider, asking, stop))
        .catch((error) => asking.halt(error))
        .finally(() => {
          provider.limit.release();
          inFlight.delete(task);
        });
      inFlight.add(task);
    }
  } finally {
    await Promise.all(inFlight);
  }
}

/** @param most US dollars held back for the request */
async function ask(ticket: Ticket, most: number, provider: Provider, asking: Asking, stop: AbortSignal): Promise<void> {
  const { queue, budget, parts } = asking;
  const { recipe, ledger, providers } = parts;
  const { limit } = provider;
  const { job } = ticket;
  const several = providers.length > 1;
  let sent = false;
  const asked = await askWithRetries(provider.teacher, job.request, {
    maxAttempts: recipe.collect.maxAttempts,
    tried: ticket.tries.get(provider) ?? 0,
    stop,
    cut: asking.cut,
    random: randomStream(job.request.key, 'retry'),
    beforeTry: (attempt, previous) => {
      const lost = previous?.possiblyCharged === true;
      if (lost) {
        budget.keepReserved(most);
        if (!budget.reserve(most)) throw budget.error();
      }
      sent = true;
      return ledger.append({
        type: 'sent',
        ...head(job, provider, parts),
        attempt,
        ...(lost ? { afterLost: true } : {}),
        ...(most > 0 ? { usdAtMost: most } : {}),
      });
    },
    onRetry: (failure) => {
      heed(provider, failure.limits, job);
      if (failure.overloaded) limit.overloaded(failure.retryAfterMs);
    },
    wait: several ? (ms, signal) => waitUnlessCalled(ticket, asking, ms, signal) : parts.wait,
  }).catch((error: unknown) => {
    // Set aside before the request left.
    if (error instanceof InterruptedError && !sent && !asking.stop.aborted) return undefined;
    throw error;
  });
  if (asked === undefined) {
    budget.settle(most, 0);
    return queue.giveBack(ticket);
  }
  if (asked.ok) {
    const line = responseLine(job, asked.response, provider, parts);
    await ledger.append(line);
    budget.settle(most, line.usd ?? 0);
    provider.failedInARow = 0;
    limit.succeeded();
    heed(provider, asked.response.limits ?? [], job, asked.response.usage);
    queue.done();
    return parts.onResponse(job, line);
  }
  const { failure, attempts } = asked;
  if (failure.possiblyCharged) budget.keepReserved(most);
  else budget.settle(most, 0);
  await asking.fail(ticket, failure, provider, attempts);
  // A request that was called over to another provider has not used up its tries.
  const failed = failure.scope === 'retry' && attempts >= recipe.collect.maxAttempts;
  if (failed && !stop.aborted && ++provider.failedInARow >= GIVE_UP_AFTER) {
    await asking.setAside(provider, `${GIVE_UP_AFTER} requests in a row failed, the last one with: ${failure.message}`);
  }
}

/** Waits for the next try; where another provider is idle meanwhile, the wait fails, and the request goes there. */
async function waitUnlessCalled(ticket: Ticket, { queue, parts }: Asking, ms: number, signal: AbortSignal) {
  try {
    await parts.wait(ms, AbortSignal.any([signal, queue.asleep(ticket)]));
  } finally {
    queue.awake(ticket);
  }
}

/** Servers count a request with the answer it may have. */
function heed({ limit }: Provider, limits: readonly RateLimit[], { request }: Job, usage?: TokenUsage): void {
  const tokens = (usage?.promptTokens ?? 0) + request.params.maxTokens;
  for (const { unit, left, resetMs } of limits) {
    limit.left(unit, unit === 'requests' ? left : Math.floor(left / tokens), resetMs);
  }
}
