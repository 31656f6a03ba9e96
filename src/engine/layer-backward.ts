/** One layer backward, from what its forward kept: the second half, attention, the first half. */

import { afterBackward, attentionBackward, beforeBackward } from '../model/layer-graphs.ts';
import { attentionFeeds, returnFeeds } from './attention-feeds.ts';
import { addTo, type Floats, rowsOf } from './floats.ts';
import type { GradientSums } from './gradient-sums.ts';
import {
  attentionShape,
  type EngineContext,
  type KeptActivations,
  type LayerPass,
  rowBlocks,
} from './layer-context.ts';
import { rotaryRows } from './rotary-tables.ts';

/**
 * Adds to the gradients of the layer's parameters.
 *
 * @param kept of the same rows
 * @param dy gradient at the layer's output `[rows, hidden]`; given back to the pool
 * @param grads sums by parameter
 * @returns the gradient at the layer's input, of the pool
 */
export async function layerBackward(
  context: EngineContext,
  { packed, rotary, window, parameters, state }: LayerPass,
  kept: KeptActivations,
  dy: Floats,
  grads: GradientSums,
): Promise<Floats> {
  const { cache, dtype, linears, pool } = context;
  const { config } = context.model;
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const { o, middle, gateUp } = kept;
  const blocks = rowBlocks(packed.rows);
  const flow = pool.take(packed.rows, hiddenSize);
  const dOut = pool.take(packed.rows, queryWidth);
  for (const { start, rows } of blocks) {
    const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
    const out = await cache.run(
      `after-backward ${rows}`,
      () => afterBackward(config, rows, linears, true),
      {
        ...parameters,
        x: part(state.x, hiddenSize),
        o: part(o, queryWidth),
        middle: part(middle, hiddenSize),
        gateUp: part(gateUp, 2 * intermediateSize),
        dy: part(dy, hiddenSize),
      },
      { ...grads.places, 'grad.x': part(flow, hiddenSize), 'grad.o': part(dOut, queryWidth) },
    );
    grads.add(out);
  }
  pool.give(hiddenSize, dy);

  const dq = pool.takeZeros(packed.rows, queryWidth);
  const dk = pool.takeZeros(packed.rows, keyWidth);
  const dv = pool.takeZeros(packed.rows, keyWidth);
  for (const segment of packed.segments) {
    const { start, rows, prefixStart, prefixRows } = segment;
    const { shape, key } = attentionShape(segment, window);
    const feeds = attentionFeeds(context, segment, kept);
    const dKeys = pool.take(prefixRows + rows, keyWidth);
    const dValues = pool.take(prefixRows + rows, keyWidth);
    await cache.run(
      `attention-backward ${key}`,
      () => attentionBackward(config, shape, dtype),
      { ...feeds, o: rowsOf(o, start, rows, queryWidth), do: rowsOf(dOut, start, rows, queryWidth) },
      {
        'grad.q': rowsOf(dq, start, rows, queryWidth),
        'grad.k': rowsOf(dKeys, 0, prefixRows + rows, keyWidth),
        'grad.v': rowsOf(dValues, 0, prefixRows + rows, keyWidth),
      },
    );
    // Every branch adds to its prefix's keys and values.
    for (const [sum, part] of [
      [dk, dKeys],
      [dv, dValues],
    ] as const) {
      addTo(sum, prefixStart * keyWidth, part, 0, prefixRows * keyWidth);
      addTo(sum, start * keyWidth, part, prefixRows * keyWidth, rows * keyWidth);
    }
    returnFeeds(context, segment, feeds);
    pool.give(keyWidth, dKeys, dValues);
  }
  pool.give(queryWidth, dOut);

  const dx = pool.take(packed.rows, hiddenSize);
  for (const { start, rows } of blocks) {
    const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
    const out = await cache.run(
      `before-backward ${rows}`,
      () => beforeBackward(config, rows, linears),
      {
        ...parameters,
        ...rotaryRows(rotary, start, rows),
        x: part(state.x, hiddenSize),
        dq: part(dq, queryWidth),
        dk: part(dk, keyWidth),
        dv: part(dv, keyWidth),
        dx: part(flow, hiddenSize),
      },
      { ...grads.places, 'grad.x': part(dx, hiddenSize) },
    );
    grads.add(out);
  }
  pool.give(hiddenSize, flow);
  pool.give(queryWidth, dq);
  pool.give(keyWidth, dk, dv);
  return dx;
}
