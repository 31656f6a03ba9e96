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
  const { lanes, dtype, linears, pool } = context;
  const { config } = context.model;
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const { packed, rotary, window, inputs, state } = pass;
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const blocks = rowBlocks(packed.rows);
  const q = pool.take(packed.rows, queryWidth);
  const k = pool.take(packed.rows, keyWidth);
  const v = pool.take(packed.rows, keyWidth);
  const before = blocks.map(({ start, rows }) => ({
    key: `before-forward ${rows}`,
    build: () => beforeForward(config, rows, linears),
    feeds: { ...rotaryRows(rotary, start, rows), x: rowsOf(state.x, start, rows, hiddenSize) },
    into: {
      q: rowsOf(q, start, rows, queryWidth),
      k: rowsOf(k, start, rows, keyWidth),
      v: rowsOf(v, start, rows, keyWidth),
    },
  }));
  await lanes.runAll(before, inputs);

  const o = pool.take(packed.rows, queryWidth);
  const attention = packed.segments.map((segment) => {
    const { start, rows } = segment;
    const { shape, key } = attentionShape(segment, window);
    return {
      key: `attention-forward ${key}`,
      build: () => attentionForward(config, shape, dtype),
      feeds: attentionFeeds(context, segment, { q, k, v }),
      into: { o: rowsOf(o, start, rows, queryWidth) },
    };
  });
  await lanes.runAll(attention, inputs);
  for (const [i, segment] of packed.segments.entries()) returnFeeds(context, segment, attention[i]!.feeds);
  // Rows behind the last segment are padding.
  o.fill(0, attendedRows(packed) * queryWidth);

  const y = pool.take(packed.rows, hiddenSize);
  const kept: KeptActivations | undefined = keep
    ? { q, k, v, o, middle: pool.take(packed.rows, hiddenSize), gateUp: pool.take(packed.rows, 2 * intermediateSize) }
    : undefined;
  const after = blocks.map(({ start, rows }) => {
    const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
    return {
      key: `after-forward ${rows} ${keep}`,
      build: () => afterForward(config, rows, linears, keep),
      feeds: { x: part(state.x, hiddenSize), o: part(o, queryWidth) },
      into: {
        y: part(y, hiddenSize),
        ...(kept ? { middle: part(kept.middle, hiddenSize), gateUp: part(kept.gateUp, 2 * intermediateSize) } : {}),
      },
    };
  });
  await lanes.runAll(after, inputs);
  if (kept) {
    state.kept = kept;
  } else {
    pool.give(queryWidth, q, o);
    pool.give(keyWidth, k, v);
  }
  return y;
}

/** Rows up to the end of the last segment. */
function attendedRows({ segments }: LayerPass['packed']): number {
  const last = segments.at(-1);
  return last ? last.start + last.rows : 0;
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
