/** How many requests may be in flight: grows by one a round of successes, halves when the server is overloaded (AIMD). */

/** Overloads of one moment are one event: requests sent together fail together. */
const SAME_EVENT_MS = 1000;

export class AdaptiveLimit {
  readonly #most: number;
  readonly #now: () => number;
  #limit: number;
  #inFlight = 0;
  #lastCut = Number.NEGATIVE_INFINITY;
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

  /** Resolves when there is room for one more. */
  async acquire(): Promise<void> {
    while (this.#inFlight >= this.current) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#inFlight++;
  }

  release(): void {
    this.#inFlight--;
    this.#wake();
  }

  succeeded(): void {
    this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit);
    this.#wake();
  }

  overloaded(): void {
    if (this.#now() - this.#lastCut < SAME_EVENT_MS) return;
    this.#lastCut = this.#now();
    this.#limit = Math.max(1, this.#limit / 2);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
