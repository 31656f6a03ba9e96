/** Sentence embeddings (all-MiniLM-L6-v2 and its like) through transformers.js: BERT-shaped encoders, mean pooling. */

import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { ResolveContext } from './resolve-chain.ts';
import { embedderPrecision, resolveEmbedder } from './resolve-embedder.ts';

export interface EmbedOptions {
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface Embedder {
  readonly name: string;
  /** Where the weights came from, for people. */
  readonly source: string;
  readonly sha256: string;
  /**
   * One vector of length 1 a text. Equal texts give equal vectors, whatever stands beside them.
   *
   * @throws InterruptedError between texts, when the signal is aborted
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;
}

/** Word pieces of a window, its two special tokens included: what all-MiniLM-L6-v2 was trained on (its max_seq_length). */
const WINDOW = 256;

/** One thread that sleeps when idle: a text takes 35 ms on one core, and waiting threads of a second one only took its time. */
const SESSION = { intraOpNumThreads: 1, extra: { session: { intra_op: { allow_spinning: '0' } } } };

/** What of transformers.js is used: its own types do not know of sessions that are called. */
type Encoder = (
  inputs: Record<string, unknown>,
) => Promise<{ last_hidden_state: { data: Float32Array; dims: readonly number[] } }>;

/** Finds the embedder; its model is loaded with the first text. @throws UserError where no place has it */
export async function findEmbedder(name: string, context: ResolveContext): Promise<Embedder> {
  const { folder, source, sha256 } = await resolveEmbedder(name, context);
  let loaded: ReturnType<typeof loadEncoder> | undefined;
  return {
    name,
    source,
    sha256,
    async embed(texts, { signal, onProgress } = {}) {
      loaded ??= loadEncoder(folder);
      const encode = await loaded;
      const vectors = new Map<string, Float32Array>();
      for (const [i, text] of texts.entries()) {
        if (signal?.aborted) throw new InterruptedError();
        if (!vectors.has(text)) vectors.set(text, await encode(text));
        onProgress?.(i + 1, texts.length);
      }
      return texts.map((text) => vectors.get(text)!);
    },
  };
}

/**
 * The mean of the last layer's outputs over all tokens, scaled to length 1. Longer texts go through window by window, so
 * that their end counts too. One window a pass: dynamically quantized models let the texts of a batch change each other.
 */
async function loadEncoder(folder: string): Promise<(text: string) => Promise<Float32Array>> {
  const { AutoModel, AutoTokenizer, Tensor } = await import('@huggingface/transformers');
  const dtype = embedderPrecision(folder)!;
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
  const model = (await AutoModel.from_pretrained(folder, {
    dtype,
    local_files_only: true,
    session_options: SESSION,
  })) as unknown as Encoder;
  const special = tokenizer.encode('');
  if (special.length !== 2) {
    throw new UserError(
      `Cannot embed with ${folder}: its tokenizer puts ${special.length} tokens around a text, expected 2`,
      'Use a BERT-shaped sentence encoder such as all-minilm-l6-v2',
    );
  }
  const [start, end] = special as [number, number];
  return async (text) => {
    const pieces = tokenizer.encode(text, { add_special_tokens: false });
    let sum: Float64Array | undefined;
    for (let from = 0; from === 0 || from < pieces.length; from += WINDOW - 2) {
      const ids = BigInt64Array.from([start, ...pieces.slice(from, from + WINDOW - 2), end], BigInt);
      const shape = [1, ids.length];
      const { last_hidden_state: hidden } = await model({
        input_ids: new Tensor('int64', ids, shape),
        attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
        token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), shape),
      });
      const width = hidden.dims.at(-1)!;
      sum ??= new Float64Array(width);
      for (const [i, value] of hidden.data.entries()) sum[i % width]! += value;
    }
    const norm = Math.hypot(...sum!);
    return Float32Array.from(sum!, (value) => value / norm);
  };
}
