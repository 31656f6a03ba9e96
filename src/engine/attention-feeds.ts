/** The attention graphs' inputs for one piece of packed rows. */

import type { Tensor } from '../graph/value.ts';
import { ATTENTION_BLOCK, type AttentionPiece } from './attention-pieces.ts';
import { type Floats, rowsOf, toTensor, zeros } from './floats.ts';
import type { EngineContext } from './layer-context.ts';

/** Masked scores; finite, so that no NaN can arise from a difference. */
const MASKED = -1e9;

/** 0 on and below the diagonal, MASKED above; for all blocks of all pieces. */
export function causalMask(dtype: EngineContext['dtype']): Tensor {
  const mask = zeros(dtype, ATTENTION_BLOCK ** 2);
  for (let i = 0; i < ATTENTION_BLOCK; i++) mask.fill(MASKED, i * ATTENTION_BLOCK + i + 1, (i + 1) * ATTENTION_BLOCK);
  return toTensor(mask, [ATTENTION_BLOCK, ATTENTION_BLOCK]);
}

/** q, k and v of a piece. Give k and v back with `returnFeeds`. */
export function attentionFeeds(
  { model, pool }: EngineContext,
  { start, rows, keys }: AttentionPiece,
  { q, k, v }: { readonly q: Floats; readonly k: Floats; readonly v: Floats },
): Record<'q' | 'k' | 'v', Tensor> {
  const { heads, kvHeads, headDim } = model.config;
  const width = kvHeads * headDim;
  const joined = (all: Floats): Tensor => {
    if (keys.length === 1) return rowsOf(all, keys[0]!.start, keys[0]!.rows, width);
    const total = keys.reduce((sum, range) => sum + range.rows, 0);
    const data = pool.take(total, width);
    let at = 0;
    for (const range of keys) {
      data.set(all.subarray(range.start * width, (range.start + range.rows) * width), at * width);
      at += range.rows;
    }
    return toTensor(data, [total, width]);
  };
  return { q: rowsOf(q, start, rows, heads * headDim), k: joined(k), v: joined(v) };
}

/** Ends the use of a piece's feeds. */
export function returnFeeds(
  { model, pool }: EngineContext,
  { keys }: AttentionPiece,
  { k, v }: Record<'k' | 'v', Tensor>,
): void {
  // Keys side by side are views of the whole.
  if (keys.length > 1) pool.give(model.config.kvHeads * model.config.headDim, k.data as Floats, v.data as Floats);
}
