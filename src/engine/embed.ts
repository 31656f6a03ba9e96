/** The rows of tokens in the embedding table, scaled as the family has it. */

import type { RuntimeModel } from '../model/runtime-model.ts';
import type { Floats } from './floats.ts';
import type { Packed } from './pack.ts';

/** Writes the tokens' rows into `x` `[rows, hidden]`, which is returned; rows beyond the tokens stay as they are. */
export function embedTokens(
  { config, embedding }: Pick<RuntimeModel, 'config' | 'embedding'>,
  tokens: ArrayLike<number>,
  x: Floats,
): Floats {
  const { hiddenSize, embeddingScale } = config;
  const table = embedding.data as Floats;
  for (let i = 0; i < tokens.length; i++) {
    const from = tokens[i]! * hiddenSize;
    const to = i * hiddenSize;
    x.set(table.subarray(from, from + hiddenSize), to);
    if (embeddingScale !== 1) for (let j = to; j < to + hiddenSize; j++) x[j]! *= embeddingScale;
  }
  return x;
}

/** Adds to the embedding table's gradient what its rows get from the gradient at the first layer's input `[rows, hidden]`. */
export function addEmbeddingGradient(
  { config }: RuntimeModel,
  { tokens, real }: Pick<Packed, 'tokens' | 'real'>,
  dx: Floats,
  sum: Floats,
): void {
  const { hiddenSize, embeddingScale } = config;
  for (let row = 0; row < tokens.length; row++) {
    if (!real[row]) continue;
    const [from, to] = [row * hiddenSize, tokens[row]! * hiddenSize];
    for (let j = 0; j < hiddenSize; j++) sum[to + j]! += embeddingScale * dx[from + j]!;
  }
}
