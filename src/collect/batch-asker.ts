/**
 * Asks by a provider's Batch API. A job's plan is in the ledger before anything of it leaves, and its id before it is looked at: a
 * process that goes on after a kill finds the job, by its id or by the key in its metadata, and never makes it again.
 */

import { InterruptedError } from '../foundation/errors.ts';
import { contentHash } from '../foundation/hash.ts';
import { randomStream } from '../foundation/random.ts';
import type { OpenBatch } from '../store/ledger-index.ts';
import { callWithRetries } from '../teacher/ask-with-retries.ts';
import { usdAtMost } from '../teacher/price.ts';
import { type BatchClient, type BatchResult, type BatchState, TeacherFailure } from '../teacher/teacher.ts';
import { failureLine, head, responseLine, stamp } from './ask-lines.ts';
import type { Asking } from './asking.ts';
import type { Job } from './job.ts';
import type { Ticket } from './job-queue.ts';
import type { Provider } from './provider.ts';

/** Of one batch, whose requests are all in memory; OpenAI takes 50,000 and 200 MB. */
const MOST_REQUESTS = 20_000;
const MOST_BYTES = 100e6;

/** Waits between looks at a job: batches of a few requests are done in seconds, large ones in hours. */
const FIRST_POLL_MS = 5000;
const LONGEST_POLL_MS = 60_000;

/** Results that share a sync of the ledger. */
const LINES_A_SYNC = 200;

/** The provider's words for more tokens in all batches than it takes at a time. */
const TOO_MUCH_QUEUED = 'token_limit_exceeded';

/**
 * Waits for the batches of earlier processes, then asks what the queue has, batch after batch. Requests that fail in passing or expire
 * go into the next batch, up to `collect.maxAttempts` times. Where the provider fails for good it is set aside; what a batch of
 * it still holds is nobody else's, and the same command fetches it later.
 */
export async function askByBatch(provider: Provider, asking: Asking, client: BatchClient): Promise<void> {
  const asker = new BatchAsker(provider, asking, client);
  try {
    await asker.askAll();
  } catch (error) {
    if (asking.stop.aborted || !(error instanceof TeacherFailure)) throw error;
    await asking.setAside(provider, error.message);
    await asker.giveBack(error.message);
  }
}

interface RunningBatch {
  key: string;
  structured: boolean;
  tickets: Map<string, Ticket>;
}

class BatchAsker {
  readonly #provider: Provider;
  readonly #asking: Asking;
  readonly #client: BatchClient;
  readonly #held = new Map<string, number>();
  /** Those of the queue that are neither answered nor given up. */
  readonly #own = new Map<string, Ticket>();
  #structured: boolean;
  #most = MOST_REQUESTS;

  constructor(provider: Provider, asking: Asking, client: BatchClient) {
    const { settings } = provider;
    this.#provider = provider;
    this.#asking = asking;
    this.#client = client;
    this.#structured = settings.kind === 'openai' && settings.structured;
    for (const { tickets } of asking.heldBy(provider)) for (const [key, ticket] of tickets) this.#own.set(key, ticket);
  }

  async askAll(): Promise<void> {
    let next: Ticket[] = [];
    for (const { batch, tickets } of this.#asking.heldBy(this.#provider)) {
      next.push(...(await this.#asking.track(this.#goOn(batch, tickets))));
    }
    for (;;) {
      next = await this.#fill(next);
      if (next.length === 0) return;
      next = await this.#asking.track(this.#submit(next));
    }
  }

  /** Leaves what is not in an open batch to the other providers. */
  async giveBack(reason: string): Promise<void> {
    const { ledger } = this.#asking.parts;
    const inBatches = new Set([...ledger.index.batches.values()].flatMap(({ keys }) => keys));
    for (const [key, ticket] of this.#own) {
      if (inBatches.has(key)) this.#asking.leave(this.#provider);
      else await this.#asking.giveBack(ticket, this.#provider, reason);
    }
  }

  /** As many jobs as a batch holds, `tickets` first. Waits only where there are none at all. */
  async #fill(tickets: Ticket[]): Promise<Ticket[]> {
    const { queue } = this.#asking;
    const bytesOf = ({ job }: Ticket) => JSON.stringify(job.request.messages).length;
    let bytes = tickets.reduce((sum, ticket) => sum + bytesOf(ticket), 0);
    while (tickets.length < this.#most && bytes < MOST_BYTES) {
      const ticket = tickets.length === 0 ? await queue.take(this.#provider) : queue.takeNow(this.#provider);
      if (ticket === undefined) break;
      this.#own.set(ticket.job.request.key, ticket);
      tickets.push(ticket);
      bytes += bytesOf(ticket);
    }
    return tickets;
  }

  /** Asks the first of `tickets` in one batch. Returns what is still to be asked. */
  async #submit(tickets: readonly Ticket[]): Promise<Ticket[]> {
    const { parts, budget, stop } = this.#asking;
    const { ledger } = parts;
    if (stop.aborted) throw new InterruptedError();
    const chosen = new Map<string, Ticket>();
    for (const ticket of tickets.slice(0, this.#most)) {
      const { request } = ticket.job;
      const most = usdAtMost(request, this.#provider.settings, true) ?? 0;
      const reserved = chosen.size === 0 ? await this.#asking.reserve(most) : budget.reserve(most);
      if (!reserved) break;
      this.#held.set(request.key, most);
      chosen.set(request.key, ticket);
    }
    if (chosen.size === 0) throw budget.error();
    const keys = [...chosen.keys()];
    const structured = this.#structured;
    const { name } = this.#provider;
    const key = contentHash({
      keys,
      after: ledger.index.endedBatches,
      ...(name === undefined ? {} : { provider: name }),
    });
    await Promise.all([
      ledger.append({ type: 'batch', key, step: 'planned', ...this.#stamp(), keys, structured }),
      ...[...chosen.values()].map((ticket) => this.#sent(ticket, key)),
    ]);
    const batch = { key, structured, tickets: chosen };
    const id = await this.#create(batch);
    await ledger.append({ type: 'batch', key, step: 'created', ...this.#stamp(), id });
    return [...(await this.#harvest(batch, id)), ...tickets.slice(chosen.size)];
  }

  /** Goes on with a batch of an earlier process. Returns what is to be asked again. */
  async #goOn(batch: OpenBatch, tickets: Map<string, Ticket>): Promise<Ticket[]> {
    const { parts, budget } = this.#asking;
    const { ledger } = parts;
    for (const key of tickets.keys()) {
      const most = ledger.index.open.get(key)?.usdAtMost ?? 0;
      this.#held.set(key, most);
      budget.resume(most);
    }
    const running = { ...batch, tickets };
    const id = batch.id ?? (await this.#call(() => this.#client.find(batch.key, batch.plannedAt)));
    if (id === undefined) return this.#end(running, 'never created', 'the batch was not created');
    if (batch.id === undefined) {
      await ledger.append({ type: 'batch', key: batch.key, step: 'created', ...this.#stamp(), id });
    }
    return this.#harvest(running, id);
  }

  /** A creation that may have gone through is looked for before it is repeated. */
  async #create(batch: RunningBatch): Promise<string> {
    const { key, structured, tickets } = batch;
    const requests = [...tickets.values()].map(({ job }) => job.request);
    const since = this.#asking.parts.now().toISOString();
    let mayExist = false;
    try {
      return await this.#call(async () => {
        const found = mayExist ? await this.#client.find(key, since) : undefined;
        mayExist = true;
        return found ?? this.#client.create(key, requests, structured);
      });
    } catch (error) {
      // Refused before it was made: its requests are free for others.
      if (error instanceof TeacherFailure && error.scope === 'stop')
        await this.#end(batch, 'never created', error.message);
      throw error;
    }
  }

  async #harvest(batch: RunningBatch, id: string): Promise<Ticket[]> {
    const { outcome, files, problem } = await this.#ended(id);
    const { ledger } = this.#asking.parts;
    const requests = new Map([...batch.tickets].map(([key, { job }]) => [key, job.request]));
    const handled = new Set<string>();
    const again: Ticket[] = [];
    let stop: TeacherFailure | undefined;
    const writing: Promise<unknown>[] = [];
    for (const file of files) {
      await this.#call(async () => {
        for await (const result of this.#client.results(file, requests)) {
          if (handled.has(result.key) || ledger.index.responses.has(result.key)) continue;
          handled.add(result.key);
          const ticket = batch.tickets.get(result.key)!;
          if (result.outcome instanceof TeacherFailure && result.outcome.scope === 'stop') stop = result.outcome;
          writing.push(this.#keep(ticket, result, batch).then((retry) => void (retry && again.push(ticket))));
          if (writing.length >= LINES_A_SYNC) await Promise.all(writing.splice(0));
        }
      });
    }
    await Promise.all(writing);
    if (problem?.code === TOO_MUCH_QUEUED && this.#most > 1) this.#most = Math.ceil(this.#most / 2);
    const refused = outcome === 'failed' && problem !== undefined && problem.code !== TOO_MUCH_QUEUED;
    again.push(...(await this.#end(batch, outcome, problem?.message ?? `the batch ended (${outcome}) without it`)));
    if (stop !== undefined) throw stop;
    if (refused) throw new TeacherFailure(`it refused the batch ${id}: ${problem.message}`, 'stop');
    return again;
  }

  async #ended(id: string): Promise<BatchState> {
    const { stop, parts } = this.#asking;
    for (let ms = FIRST_POLL_MS; ; ms = Math.min(LONGEST_POLL_MS, ms * 1.5)) {
      const state = await this.#call(() => this.#client.state(id));
      if (state.ended) return state;
      await parts.wait(ms, stop);
    }
  }

  /** Writes a result down; tells whether its request is to be asked again. */
  async #keep(ticket: Ticket, { outcome }: BatchResult, batch: RunningBatch): Promise<boolean> {
    if (outcome instanceof TeacherFailure) return this.#fail(ticket, outcome, batch);
    const { parts, queue } = this.#asking;
    const { job } = ticket;
    const structured = batch.structured && job.request.schema !== undefined;
    const line = responseLine(job, { ...outcome, structured }, this.#provider, parts, batch.key);
    await parts.ledger.append(line);
    this.#settle(job, line.usd ?? 0);
    this.#own.delete(job.request.key);
    queue.done();
    parts.onResponse(job, line);
    return false;
  }

  async #fail(ticket: Ticket, failure: TeacherFailure, batch: RunningBatch): Promise<boolean> {
    const { job, tries } = ticket;
    const { key, schema } = job.request;
    const { ledger, recipe } = this.#asking.parts;
    const attempts = (tries.get(this.#provider) ?? 0) + 1;
    tries.set(this.#provider, attempts);
    // It may be the schema that was refused: the next batch goes without, and tells.
    const schemaRefused = failure.badRequest && batch.structured && schema !== undefined;
    if (schemaRefused) this.#structured = false;
    this.#settle(job, failure.possiblyCharged ? this.#held.get(key)! : 0);
    // Where the provider failed for good, the job is given back with the others that it still has.
    const mayRetry = failure.scope === 'retry' || schemaRefused;
    if (failure.scope === 'stop' || (mayRetry && attempts < recipe.collect.maxAttempts)) {
      await ledger.append(failureLine(job, failure, this.#provider, this.#asking.parts, { attempts }));
      return true;
    }
    this.#own.delete(key);
    // Refused with its schema, and no try left without: a later run may have better luck.
    const passing = schemaRefused ? new TeacherFailure(failure.message, 'retry') : failure;
    await this.#asking.fail(ticket, passing, this.#provider, attempts);
    return false;
  }

  /** Ends a batch. Requests without a result were not answered, and not charged. */
  async #end(batch: RunningBatch, outcome: string, reason: string): Promise<Ticket[]> {
    const { ledger } = this.#asking.parts;
    const without = [...batch.tickets.values()].filter(({ job }) => ledger.index.open.has(job.request.key));
    const retries = await Promise.all(
      without.map((ticket) => this.#fail(ticket, new TeacherFailure(reason, 'retry'), batch)),
    );
    await ledger.append({ type: 'batch', key: batch.key, step: 'ended', ...this.#stamp(), outcome });
    return without.filter((_, i) => retries[i]);
  }

  #settle({ request }: Job, usd: number): void {
    this.#asking.budget.settle(this.#held.get(request.key) ?? 0, usd);
    this.#held.delete(request.key);
  }

  #sent({ job, tries }: Ticket, batch: string): Promise<void> {
    const { parts } = this.#asking;
    const most = this.#held.get(job.request.key)!;
    const attempt = (tries.get(this.#provider) ?? 0) + 1;
    const price = most > 0 ? { usdAtMost: most } : {};
    return parts.ledger.append({ type: 'sent', ...head(job, this.#provider, parts), attempt, batch, ...price });
  }

  #stamp() {
    return stamp(this.#provider, this.#asking.parts);
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    const { parts, stop } = this.#asking;
    const random = randomStream('batch');
    return callWithRetries(call, {
      maxAttempts: parts.recipe.collect.maxAttempts,
      stop,
      random,
      wait: parts.wait,
    });
  }
}
