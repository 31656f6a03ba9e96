/** Which texts have been met, at 16 bytes each: a corpus of millions of documents is checked for duplicates in bounded memory. */

import { createHash } from 'node:crypto';

/** A set of 52-bit hashes, open addressing. Two of a million texts are taken for one with probability 0.0001. */
export class FingerprintSet {
  #slots = new Float64Array(1024);
  #size = 0;

  /** Adds a text; false where it was there already. */
  add(text: string): boolean {
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const added = put(this.#slots, fingerprint(text));
    if (added) this.#size++;
    return added;
  }

  #grow(): void {
    const larger = new Float64Array(this.#slots.length * 2);
    for (const value of this.#slots) if (value !== 0) put(larger, value);
    this.#slots = larger;
  }
}

function put(slots: Float64Array, value: number): boolean {
  for (let i = value % slots.length; ; i = (i + 1) % slots.length) {
    if (slots[i] === value) return false;
    if (slots[i] === 0) {
      slots[i] = value;
      return true;
    }
  }
}

/** 1 to 2^52: 0 marks an empty slot. */
function fingerprint(text: string): number {
  const digest = createHash('sha256').update(text).digest();
  return digest.readUIntBE(0, 6) * 16 + (digest[6]! & 15) + 1;
}
