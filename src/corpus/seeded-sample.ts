/** A sample of a stream whose length nobody knows. */

import { sha256 } from '../foundation/hash.ts';

/**
 * Keeps the `size` items whose hashes with the seed are smallest: each item is as likely as any other, and the choice
 * depends on ids and seed alone, not on the order or on how the files are cut. At most 2 `size` items are held.
 */
export class SeededSample<T extends { id: string }> {
  #kept: { rank: string; position: number; item: T }[] = [];
  #count = 0;
  readonly #size: number;
  readonly #seed: number;

  constructor(size: number, seed: number) {
    this.#size = size;
    this.#seed = seed;
  }

  add(item: T): void {
    const rank = sha256(`${this.#seed}\u0000${item.id}`);
    this.#kept.push({ rank, position: this.#count++, item });
    if (this.#kept.length >= 2 * this.#size) this.#shrink();
  }

  /** The sample, in the order in which its items were added. */
  items(): T[] {
    this.#shrink();
    return [...this.#kept].sort((a, b) => a.position - b.position).map(({ item }) => item);
  }

  #shrink(): void {
    this.#kept.sort((a, b) => (a.rank < b.rank ? -1 : 1));
    this.#kept.length = Math.min(this.#kept.length, this.#size);
  }
}
