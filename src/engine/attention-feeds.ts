/** The attention graphs' inputs for one piece of packed rows in one key head. */

import type { Tensor } from '../graph/value.ts';
import { ATTENTION_BLOCK, type AttentionPiece } from './attention-pieces.ts';
import { type Floats, toTensor, zeros } from './floats.ts';
import type { Heads } from './heads.ts';
import type { EngineContext } from './layer-context.ts';

/** Masked scores; finite, so that no NaN can arise from a difference. */
const MASKED = -1e9;

/** 0 on and below the diagonal, MASKED above; for all blocks of all pieces. */
export function causalMask(dtype: EngineContext['dtype']): Tensor {
  const mask = zeros(dtype, ATTENTION_BLOCK ** 2);
  for (let i = 0; i < ATTENTION_BLOCK; i++) mask.fill(MASKED, i * ATTENTION_BLOCK + i + 1, (i + 1) * ATTENTION_BLOCK);
  return toTensor(mask, [ATTENTION_BLOCK, ATTENTION_BLOCK]);
}

/** q, k and v of a piece in one key head. Give k and v back with `returnFeeds`. */
export function attentionFeeds(
  { pool }: EngineContext,
  { start, rows, keys }: AttentionPiece,
  head: number,
  { q, k, v }: { readonly q: Heads; readonly k: Heads; readonly v: Heads },
): Record<'q' | 'k' | 'v', Tensor> {
  const joined = (all: Heads): Tensor => {
    if (keys.length === 1) return all.of(head, keys[0]!.start, keys[0]!.rows);
    const total = keys.reduce((sum, range) => sum + range.rows, 0);
    const data = pool.take(total, all.width);
    let at = 0;
    for (const range of keys) {
      data.set(all.of(head, range.start, range.rows).data as Floats, at * all.width);
      at += range.rows;
    }
    return toTensor(data, [total, all.width]);
  };
  return { q: q.of(head, start, rows), k: joined(k), v: joined(v) };
}

/** Ends the use of a piece's feeds. */
export function returnFeeds(
  { model, pool }: EngineContext,
  { keys }: AttentionPiece,
  { k, v }: Record<'k' | 'v', Tensor>,
): void {
  // Keys side by side are views of the whole.
  if (keys.length > 1) pool.give(model.config.headDim, k.data as Floats, v.data as Floats);
}
