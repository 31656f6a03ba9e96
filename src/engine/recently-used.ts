/** A map with a bound: what was not used for longest makes way. Two of one bound that see the same keys hold the same keys. */
export class RecentlyUsed<V> {
  private readonly most: number;
  private readonly entries = new Map<string, V>();

  constructor(most: number) {
    this.most = most;
  }

  /** The value, which counts as a use of it. */
  get(key: string): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  /** Adds a key that is not there. @returns the value that made way */
  add(key: string, value: V): V | undefined {
    const oldest = this.entries.size >= this.most ? this.entries.entries().next().value : undefined;
    if (oldest) this.entries.delete(oldest[0]);
    this.entries.set(key, value);
    return oldest?.[1];
  }

  values(): IterableIterator<V> {
    return this.entries.values();
  }

  clear(): void {
    this.entries.clear();
  }
}
