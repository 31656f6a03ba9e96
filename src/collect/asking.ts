/** What the askers of one teacher's providers share while they ask: jobs, budget, when to stop, and what a failure leads to. */

import { setMaxListeners } from 'node:events';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { OpenBatch } from '../store/ledger-index.ts';
import { TeacherFailure } from '../teacher/teacher.ts';
import { type AskerParts, failureLine, leftInBatches, nobodyLeft } from './ask-lines.ts';
import { Budget } from './budget.ts';
import type { Job } from './job.ts';
import { JobQueue, Ticket } from './job-queue.ts';
import type { Provider } from './provider.ts';

/** After a stop, requests in flight may still answer for this long: they are paid. */
const GRACE_MS = 10_000;

/** A batch of an earlier process that has not ended, and those of its requests that are still wanted. */
export interface HeldBatch {
  batch: OpenBatch;
  /** By key. */
  tickets: Map<string, Ticket>;
}

export class Asking {
  readonly parts: AskerParts;
  readonly queue: JobQueue;
  readonly budget: Budget;
  readonly #held: ReadonlyMap<Provider, HeldBatch[]>;
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #left = new Set<Provider>();
  #grace: NodeJS.Timeout | undefined;
  #fatal: unknown;

  /** @param jobs without a response yet; read twice where batches are under way */
  constructor(jobs: () => Iterable<Job>, parts: AskerParts) {
    this.parts = parts;
    this.#held = heldBatches(jobs, parts);
    const held = [...this.#held.values()].flat().flatMap(({ tickets }) => [...tickets.values()]);
    this.queue = new JobQueue(jobs(), parts.providers, held);
    this.budget = new Budget(parts.recipe, parts.ledger.index);
    // Each request in flight, and each that waits for its next try, listens to these.
    setMaxListeners(0, this.#stop.signal, this.#cut.signal);
  }

  /** Aborted when nothing new may begin. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborted when what is in flight is given up, too. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  heldBy(provider: Provider): readonly HeldBatch[] {
    return this.#held.get(provider) ?? [];
  }

  /** Ends the asking: nothing new begins, what is in flight has some seconds left. The first reason is the one that is told. */
  halt(reason: unknown): void {
    this.#fatal ??= reason;
    this.#grace ??= setTimeout(() => this.#cut.abort(), GRACE_MS);
    this.#stop.abort();
    this.queue.close();
  }

  /** Runs `askers` to their ends. Throws the reason of a halt. */
  async run(askers: () => readonly Promise<void>[]): Promise<void> {
    const { signal, ledger, providers } = this.parts;
    for (const provider of providers) {
      if (provider.asideFor === undefined) continue;
      for (const { tickets } of this.heldBy(provider)) for (const _ of tickets) this.leave(provider);
    }
    const onAbort = () => this.halt(new InterruptedError('Collecting was stopped; the same command goes on from here'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.all(askers().map((asker) => asker.catch((error) => this.halt(error))));
    } finally {
      clearTimeout(this.#grace);
      signal.removeEventListener('abort', onAbort);
    }
    if (signal.aborted && ledger.index.batches.size > 0) {
      throw new InterruptedError('Collecting was stopped; its batch goes on, and the same command fetches the results');
    }
    if (this.#fatal !== undefined) throw this.#fatal;
    if (this.#left.size > 0) throw leftInBatches(this.parts, [...this.#left]);
  }

  /** `work` holds money of the budget back until it ends. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    try {
      return await work;
    } finally {
      this.#inFlight.delete(work);
    }
  }

  /** Holds `usd` back. What is in flight may turn out cheaper than what is held back for it, so that is waited for; then false. */
  async reserve(usd: number): Promise<boolean> {
    let reserved = this.budget.reserve(usd);
    while (!reserved && this.#inFlight.size > 0 && !this.stop.aborted) {
      await Promise.race(this.#inFlight).catch(() => {});
      reserved = this.budget.reserve(usd);
    }
    return reserved;
  }

  /**
   * Writes down that `provider` has no answer to a job, and gives the job to the others as far as there are any.
   *
   * @param attempts its tries there so far
   */
  async fail(ticket: Ticket, failure: TeacherFailure, provider: Provider, attempts: number): Promise<void> {
    const { recipe, providers, ledger, onFailure } = this.parts;
    const { job } = ticket;
    ticket.tries.set(provider, attempts);
    if (failure.scope === 'refuse') ticket.refusedBy.add(provider);
    if (failure.scope === 'refuse' || attempts >= recipe.collect.maxAttempts) ticket.closedTo.add(provider);
    if (failure.scope === 'stop') await this.setAside(provider, failure.message);
    const moved = !this.stop.aborted && this.queue.isOpen(ticket);
    const final = providers.every((one) => ticket.refusedBy.has(one));
    await ledger.append(failureLine(job, failure, provider, this.parts, { attempts, final, moved }));
    if (moved) return this.giveBack(ticket, provider, failure.message);
    this.queue.done();
    onFailure(job, failure.message);
  }

  /** A job that `provider` has taken and not asked, or failed at, is for the others; where none is left for it, it is given up. */
  async giveBack(ticket: Ticket, provider: Provider, reason: string): Promise<void> {
    if (this.stop.aborted || this.queue.isOpen(ticket)) return this.queue.giveBack(ticket);
    await this.#giveUp(ticket, provider, reason);
    this.queue.done();
  }

  /** A job stays in a batch of a provider that was set aside: it ends the asking once the others have done theirs. */
  leave(provider: Provider): void {
    this.#left.add(provider);
    this.queue.done();
  }

  /** Asks `provider` nothing more in this run; where it was the last one, ends the asking. */
  async setAside(provider: Provider, reason: string): Promise<void> {
    if (provider.asideFor !== undefined) return;
    provider.setAside(reason);
    const { providers, recipe, warn } = this.parts;
    const left = providers.filter(({ asideFor }) => asideFor === undefined);
    if (left.length === 0) return this.halt(nobodyLeft(this.parts));
    const teacher = recipe.teacher.kind === 'openai' ? recipe.teacher.model : '';
    const others = left.map(({ name }) => name).join(', ');
    warn(`Provider ${provider.name} of teacher ${teacher} is set aside for this run: ${reason}; ${others} goes on`);
    for (const ticket of this.queue.stranded()) await this.#giveUp(ticket, provider, reason);
  }

  async #giveUp({ job, tries }: Ticket, provider: Provider, reason: string): Promise<void> {
    const attempts = tries.get(provider) ?? 0;
    const failure = new TeacherFailure(reason, 'retry');
    await this.parts.ledger.append(failureLine(job, failure, provider, this.parts, { attempts }));
    this.parts.onFailure(job, reason);
  }
}

/** The wanted requests of open batches, by the provider that has them: asking them by another way could pay them twice. */
function heldBatches(jobs: () => Iterable<Job>, { providers, ledger }: AskerParts): Map<Provider, HeldBatch[]> {
  const held = new Map<Provider, HeldBatch[]>();
  const open = [...ledger.index.batches.values()].map((batch) => ({
    batch,
    keys: new Set(batch.keys),
    tickets: new Map<string, Ticket>(),
  }));
  if (open.length === 0) return held;
  for (const job of jobs()) {
    const { key } = job.request;
    open.find(({ keys }) => keys.has(key))?.tickets.set(key, new Ticket(job));
  }
  for (const { batch, tickets } of open) {
    if (tickets.size === 0) continue;
    const provider = providers.find((one) => isHolder(one, batch));
    if (provider === undefined) throw holderMissing(batch, tickets.size);
    held.set(provider, [...(held.get(provider) ?? []), { batch, tickets }]);
  }
  return held;
}

/** Batches of times when the teacher had one server, or had several, are known by their model. */
function isHolder({ name, teacher }: Provider, batch: OpenBatch): boolean {
  if (teacher.batches === undefined) return false;
  return name === undefined || batch.provider === undefined ? teacher.name === batch.model : name === batch.provider;
}

function holderMissing({ provider, model, id }: OpenBatch, requests: number): UserError {
  return new UserError(
    `Cannot ask further: the batch ${id ?? 'that is being made'} of ${provider ?? model} holds ${requests} of the requests, and the recipe names no such provider`,
    'Put the provider back until the batch has ended: asking another one could pay the same answers twice',
  );
}
