/**
 * How many requests may be in flight: grows by one a round of successes, halves when the server is overloaded (AIMD), and pauses
 * where the server says that it takes nothing more for a while.
 */

/** Overloads of one moment are one event: requests sent together fail together. */
const SAME_EVENT_MS = 1000;

/** Requests that may still begin before a limit of the server is whole again. */
interface Room {
  requests: number;
  until: number;
}

export class AdaptiveLimit {
  readonly #most: number;
  readonly #now: () => number;
  readonly #rooms = new Map<string, Room>();
  #limit: number;
  #inFlight = 0;
  #lastCut = Number.NEGATIVE_INFINITY;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #waiting: (() => void)[] = [];

  /** Starts at `most`, which the user set, and never goes above it or below 1. */
  constructor(most: number, now: () => number = Date.now) {
    this.#most = most;
    this.#limit = most;
    this.#now = now;
  }

  /** Requests allowed at a time right now. */
  get current(): number {
    return Math.floor(this.#limit);
  }

  /**
   * Resolves when there is room for one more.
   *
   * @param wait waits out a pause; where it rejects (stopped), the pause is over
   */
  async acquire(wait: (ms: number) => Promise<void>): Promise<void> {
    for (;;) {
      while (this.#inFlight >= this.current) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const until = this.#blockedUntil();
      if (until <= this.#now()) break;
      await wait(until - this.#now()).catch(() => {});
      // Also where the clock stood still, or a stop ended the wait: nothing waits twice for one thing.
      this.#openUp(until);
    }
    this.#inFlight++;
    for (const room of this.#rooms.values()) room.requests--;
  }

  release(): void {
    this.#inFlight--;
    this.#wake();
  }

  succeeded(): void {
    this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit);
    this.#wake();
  }

  /** @param waitMs how long the server wants to be left alone */
  overloaded(waitMs = 0): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#now() + waitMs);
    if (this.#now() - this.#lastCut < SAME_EVENT_MS) return;
    this.#lastCut = this.#now();
    this.#limit = Math.max(1, this.#limit / 2);
  }

  /**
   * A server's word on one of its limits: it takes `requests` more until `resetMs` have passed. What else is in flight may not
   * have been counted yet when it said so, and is taken off.
   */
  left(unit: string, requests: number, resetMs: number): void {
    this.#rooms.set(unit, { requests: requests - (this.#inFlight - 1), until: this.#now() + resetMs });
  }

  #blockedUntil(): number {
    const full = [...this.#rooms.values()].filter(({ requests }) => requests < 1).map(({ until }) => until);
    return Math.max(this.#pausedUntil, ...full);
  }

  #openUp(until: number): void {
    if (this.#pausedUntil <= until) this.#pausedUntil = Number.NEGATIVE_INFINITY;
    for (const [unit, room] of this.#rooms) if (room.until <= until) this.#rooms.delete(unit);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
