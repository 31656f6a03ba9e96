/** The attention graphs' inputs for one segment of packed rows. */

import type { Tensor } from '../graph/value.ts';
import { type Floats, rowsOf, toTensor, zeros } from './floats.ts';
import { ATTENTION_BLOCK, type EngineContext } from './layer-context.ts';
import type { Segment } from './pack.ts';

/** Masked scores; finite, so that no NaN can arise from a difference. */
const MASKED = -1e9;

/** 0 on and below the diagonal, MASKED above; for all blocks of all segments. */
export function causalMask(dtype: EngineContext['dtype']): Tensor {
  const mask = zeros(dtype, ATTENTION_BLOCK ** 2);
  for (let i = 0; i < ATTENTION_BLOCK; i++) mask.fill(MASKED, i * ATTENTION_BLOCK + i + 1, (i + 1) * ATTENTION_BLOCK);
  return toTensor(mask, [ATTENTION_BLOCK, ATTENTION_BLOCK]);
}

/** q, k and v of a segment; its prefix's keys and values come first. Give k and v back with `returnFeeds`. */
export function attentionFeeds(
  { model, pool }: EngineContext,
  { start, rows, prefixStart, prefixRows }: Segment,
  { q, k, v }: { readonly q: Floats; readonly k: Floats; readonly v: Floats },
): Record<'q' | 'k' | 'v', Tensor> {
  const { heads, kvHeads, headDim } = model.config;
  const width = kvHeads * headDim;
  const joined = (all: Floats): Tensor => {
    if (prefixRows === 0) return rowsOf(all, start, rows, width);
    const data = pool.take(prefixRows + rows, width);
    data.set(all.subarray(prefixStart * width, (prefixStart + prefixRows) * width));
    data.set(all.subarray(start * width, (start + rows) * width), prefixRows * width);
    return toTensor(data, [prefixRows + rows, width]);
  };
  return { q: rowsOf(q, start, rows, heads * headDim), k: joined(k), v: joined(v) };
}

/** Ends the use of a segment's feeds. */
export function returnFeeds(
  { model, pool }: EngineContext,
  { prefixRows }: Segment,
  { k, v }: Record<'k' | 'v', Tensor>,
): void {
  // Without a prefix they are views of the whole.
  if (prefixRows > 0) pool.give(model.config.kvHeads * model.config.headDim, k.data as Floats, v.data as Floats);
}
