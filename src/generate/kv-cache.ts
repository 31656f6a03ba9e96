/** Keys and values of one sequence at a time, in memory that graphs read where it lies. */

import type { Tensor } from '../graph/value.ts';
import type { ModelConfig } from '../model/config.ts';

/**
 * Prompts are encoded in chunks of this many tokens. The shapes of all graphs, and so the last bit of every result, depend
 * on a token's own prompt alone; and a chunk that another sequence began with as well can be copied instead of computed.
 */
export const CHUNK = 64;

const roundUp = (n: number, multiple: number) => Math.ceil(n / multiple) * multiple;

/** One place of the batch: keys and values `[rows, kvHeads * d]` of each layer. Sequences follow one another in it. */
export class KvCache {
  private readonly layers: { keys: Float32Array; values: Float32Array }[];
  private readonly width: number;
  private capacity = 0;
  /** Tokens of the prompt's whole chunks, whose rows are in place. */
  private chunks: readonly number[] = [];

  constructor({ layers, kvHeads, headDim }: ModelConfig) {
    this.width = kvHeads * headDim;
    this.layers = Array.from({ length: layers }, () => ({ keys: new Float32Array(0), values: new Float32Array(0) }));
  }

  /** Leading tokens of `prompt`, in whole chunks, whose rows are in this cache. The last token always remains to be run. */
  shared(prompt: readonly number[]): number {
    const most = Math.min(this.chunks.length, prompt.length - 1);
    let same = 0;
    while (same < most && this.chunks[same] === prompt[same]) same++;
    return Math.floor(same / CHUNK) * CHUNK;
  }

  /** Starts a sequence with the first `rows` rows of `source` (this cache included) and room for `length` rows. */
  begin(source: KvCache, rows: number, length: number): void {
    const chunks = source.chunks.slice(0, rows);
    if (length > this.capacity) {
      // Pages that are never written cost nothing, so a place asks for all it may come to need.
      this.capacity = roundUp(length, CHUNK);
      for (const [i, { keys, values }] of this.layers.entries()) {
        this.layers[i] = { keys: this.grown(keys, chunks.length), values: this.grown(values, chunks.length) };
      }
    }
    if (source !== this) {
      for (const [i, { keys, values }] of this.layers.entries()) {
        keys.set(source.layers[i]!.keys.subarray(0, rows * this.width));
        values.set(source.layers[i]!.values.subarray(0, rows * this.width));
      }
    }
    this.chunks = chunks;
  }

  /** Tells that the rows of all whole chunks of `prompt` are in place. */
  finishPrompt(prompt: readonly number[], rows: number): void {
    this.chunks = prompt.slice(0, Math.floor(rows / CHUNK) * CHUNK);
  }

  /** Stores rows of k and v, `[rows, kvHeads * d]`, from row `at` on. */
  write(layer: number, at: number, k: Float32Array, v: Float32Array): void {
    const { keys, values } = this.layers[layer]!;
    keys.set(k, at * this.width);
    values.set(v, at * this.width);
  }

  /** Keys and values of a layer's rows from `from` to `end`, as views. */
  read(layer: number, from: number, end: number): { keys: Tensor; values: Tensor } {
    const { keys, values } = this.layers[layer]!;
    const view = (all: Float32Array): Tensor => ({
      dtype: 'float32',
      shape: [end - from, this.width],
      data: all.subarray(from * this.width, end * this.width),
    });
    return { keys: view(keys), values: view(values) };
  }

  private grown(old: Float32Array, rows: number): Float32Array {
    const grown = new Float32Array(this.capacity * this.width);
    grown.set(old.subarray(0, rows * this.width));
    return grown;
  }
}
