/** One layer forward: token-wise graphs in row blocks around attention, segment by segment. */

import { afterForward, attentionForward, beforeForward } from '../model/layer-graphs.ts';
import { attentionFeeds, returnFeeds } from './attention-feeds.ts';
import { type Floats, rowsOf } from './floats.ts';
import {
  attentionShape,
  type EngineContext,
  type KeptActivations,
  type LayerPass,
  rowBlocks,
} from './layer-context.ts';
import { rotaryRows } from './rotary-tables.ts';

/** The layer's output `[rows, hidden]`, of the pool. With `keep`, `pass.state.kept` holds what backward reads. */
export async function layerForward(context: EngineContext, pass: LayerPass, keep: boolean): Promise<Floats> {
  const { cache, dtype, linears, pool } = context;
  const { config } = context.model;
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const { packed, rotary, window, parameters, state } = pass;
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const blocks = rowBlocks(packed.rows);
  const q = pool.take(packed.rows, queryWidth);
  const k = pool.take(packed.rows, keyWidth);
  const v = pool.take(packed.rows, keyWidth);
  for (const { start, rows } of blocks) {
    await cache.run(
      `before-forward ${rows}`,
      () => beforeForward(config, rows, linears),
      { ...parameters, ...rotaryRows(rotary, start, rows), x: rowsOf(state.x, start, rows, hiddenSize) },
      {
        q: rowsOf(q, start, rows, queryWidth),
        k: rowsOf(k, start, rows, keyWidth),
        v: rowsOf(v, start, rows, keyWidth),
      },
    );
  }

  const o = pool.take(packed.rows, queryWidth);
  let attended = 0;
  for (const segment of packed.segments) {
    const { start, rows } = segment;
    const { shape, key } = attentionShape(segment, window);
    const feeds = attentionFeeds(context, segment, { q, k, v });
    await cache.run(`attention-forward ${key}`, () => attentionForward(config, shape, dtype), feeds, {
      o: rowsOf(o, start, rows, queryWidth),
    });
    returnFeeds(context, segment, feeds);
    attended = start + rows;
  }
  // Rows behind the last segment are padding.
  o.fill(0, attended * queryWidth);

  const y = pool.take(packed.rows, hiddenSize);
  const kept: KeptActivations | undefined = keep
    ? { q, k, v, o, middle: pool.take(packed.rows, hiddenSize), gateUp: pool.take(packed.rows, 2 * intermediateSize) }
    : undefined;
  for (const { start, rows } of blocks) {
    const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
    await cache.run(
      `after-forward ${rows} ${keep}`,
      () => afterForward(config, rows, linears, keep),
      { ...parameters, x: part(state.x, hiddenSize), o: part(o, queryWidth) },
      {
        y: part(y, hiddenSize),
        ...(kept ? { middle: part(kept.middle, hiddenSize), gateUp: part(kept.gateUp, 2 * intermediateSize) } : {}),
      },
    );
  }
  if (kept) {
    state.kept = kept;
  } else {
    pool.give(queryWidth, q, o);
    pool.give(keyWidth, k, v);
  }
  return y;
}

/** Gives back what a layer kept. */
export function returnKept({ model, pool }: EngineContext, state: Pick<LayerPass['state'], 'kept'>): void {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = model.config;
  const { q, k, v, o, middle, gateUp } = state.kept!;
  pool.give(heads * headDim, q, o);
  pool.give(kvHeads * headDim, k, v);
  pool.give(hiddenSize, middle);
  pool.give(2 * intermediateSize, gateUp);
  delete state.kept;
}
