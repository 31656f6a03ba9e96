/** Jobs on their way to the providers: whoever has room takes the next one, and what one cannot answer goes to the others. */

import type { Job } from './job.ts';
import type { Provider } from './provider.ts';

/** A job that was taken from the queue at least once. */
export class Ticket {
  readonly job: Job;
  /** Tries at each provider. */
  readonly tries = new Map<Provider, number>();
  /** Providers that refused it for good. */
  readonly refusedBy = new Set<Provider>();
  /** Providers that are not to get it again: those, and where all tries are used up. */
  readonly closedTo = new Set<Provider>();

  constructor(job: Job) {
    this.job = job;
  }

  isOpenTo(provider: Provider): boolean {
    return provider.asideFor === undefined && !this.closedTo.has(provider);
  }
}

export class JobQueue {
  readonly #source: Iterator<Job>;
  readonly #providers: readonly Provider[];
  readonly #claimed: Set<string>;
  readonly #returned: Ticket[] = [];
  readonly #waiting = new Map<Provider, () => void>();
  /** Of those that wait, the ones that no sleeping job was called for yet. */
  readonly #idle = new Set<Provider>();
  readonly #asleep = new Map<Ticket, AbortController>();
  readonly #drained = new AbortController();
  #sourceEnded = false;
  #taken: number;

  /**
   * @param jobs equal requests are handed out once
   * @param held those of `jobs` that a provider has already, as if it had taken them
   */
  constructor(jobs: Iterable<Job>, providers: readonly Provider[], held: readonly Ticket[] = []) {
    this.#source = jobs[Symbol.iterator]();
    this.#providers = providers;
    this.#claimed = new Set(held.map(({ job }) => job.request.key));
    this.#taken = held.length;
  }

  /** Aborted once nothing is left and nothing can come back. */
  get drained(): AbortSignal {
    return this.#drained.signal;
  }

  /** The next job for `provider`. While others may still give back theirs, waits for that; undefined when nothing more can come. */
  async take(provider: Provider): Promise<Ticket | undefined> {
    for (;;) {
      const ticket = this.takeNow(provider);
      if (ticket !== undefined || this.#taken === 0 || this.drained.aborted || provider.asideFor !== undefined) {
        return ticket;
      }
      // A retry is sooner there than a batch.
      if (!provider.byBatch && !this.#rouse(provider)) this.#idle.add(provider);
      await new Promise<void>((resolve) => this.#waiting.set(provider, resolve));
    }
  }

  /** The next job for `provider` that is there already. */
  takeNow(provider: Provider): Ticket | undefined {
    if (this.drained.aborted || provider.asideFor !== undefined) return undefined;
    const at = this.#returned.findIndex((ticket) => ticket.isOpenTo(provider));
    const ticket = at >= 0 ? this.#returned.splice(at, 1)[0] : this.#fromSource();
    if (ticket !== undefined) this.#taken++;
    else this.#settle();
    return ticket;
  }

  /** Whether some provider may still take the job. */
  isOpen(ticket: Ticket): boolean {
    return this.#providers.some((provider) => ticket.isOpenTo(provider));
  }

  /** A job that was taken is answered or given up. */
  done(): void {
    this.#taken--;
    this.#settle();
  }

  /** The job of `ticket` is for whoever may take it next. */
  giveBack(ticket: Ticket): void {
    this.#taken--;
    this.#returned.push(ticket);
    this.#wake();
  }

  /** Jobs that were given back and that no provider is left for; the queue forgets them. */
  stranded(): Ticket[] {
    const left = this.#returned.filter((ticket) => !this.isOpen(ticket));
    for (const ticket of left) this.#returned.splice(this.#returned.indexOf(ticket), 1);
    this.#wake();
    this.#settle();
    return left;
  }

  /**
   * The job of `ticket` waits for its next try at one provider. Aborted as soon as another one that has not tried it has nothing
   * else to do.
   */
  asleep(ticket: Ticket): AbortSignal {
    const controller = new AbortController();
    const idle = [...this.#idle].find((provider) => isNewTo(provider, ticket));
    if (idle === undefined) this.#asleep.set(ticket, controller);
    else {
      this.#idle.delete(idle);
      controller.abort();
    }
    return controller.signal;
  }

  awake(ticket: Ticket): void {
    this.#asleep.delete(ticket);
  }

  /** Hands out nothing more. */
  close(): void {
    this.#drained.abort();
    this.#wake();
  }

  #fromSource(): Ticket | undefined {
    while (!this.#sourceEnded) {
      const next = this.#source.next();
      if (next.done) this.#sourceEnded = true;
      else if (!this.#claimed.has(next.value.request.key)) {
        this.#claimed.add(next.value.request.key);
        return new Ticket(next.value);
      }
    }
    return undefined;
  }

  /** Calls one sleeping job for `provider`; tells whether there was one. */
  #rouse(provider: Provider): boolean {
    const found = [...this.#asleep].find(([ticket]) => isNewTo(provider, ticket));
    if (found === undefined) return false;
    this.#asleep.delete(found[0]);
    found[1].abort();
    return true;
  }

  #settle(): void {
    if (this.#sourceEnded && this.#taken === 0 && this.#returned.length === 0) this.close();
    else if (this.#taken === 0) this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#idle.clear();
    for (const resolve of waiting) resolve();
  }
}

function isNewTo(provider: Provider, ticket: Ticket): boolean {
  return ticket.isOpenTo(provider) && !ticket.tries.has(provider);
}
