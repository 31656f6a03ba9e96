/** One layer backward, from what its forward kept: the second half, attention, the first half. */

import { afterBackward, attentionBackward, beforeBackward } from '../model/layer-graphs.ts';
import { addGradients } from './add-gradients.ts';
import { attentionFeeds, returnFeeds } from './attention-feeds.ts';
import { addTo, type Floats, rowsOf } from './floats.ts';
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
 * @param sums by parameter
 * @returns the gradient at the layer's input, of the pool
 */
export async function layerBackward(
  context: EngineContext,
  { packed, rotary, window, inputs, state }: LayerPass,
  kept: KeptActivations,
  dy: Floats,
  sums: Readonly<Record<string, Floats>>,
): Promise<Floats> {
  const { lanes, dtype, linears, pool } = context;
  const { config } = context.model;
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const { o, middle, gateUp } = kept;
  const blocks = rowBlocks(packed.rows);
  const flow = pool.take(packed.rows, hiddenSize);
  const dOut = pool.take(packed.rows, queryWidth);
  const after = blocks.map(({ start, rows }) => {
    const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
    return {
      key: `after-backward ${rows}`,
      build: () => afterBackward(config, rows, linears, true),
      feeds: {
        x: part(state.x, hiddenSize),
        o: part(o, queryWidth),
        middle: part(middle, hiddenSize),
        gateUp: part(gateUp, 2 * intermediateSize),
        dy: part(dy, hiddenSize),
      },
      into: { 'grad.x': part(flow, hiddenSize), 'grad.o': part(dOut, queryWidth) },
    };
  });
  await lanes.runAll(after, inputs, (outputs) => addGradients(sums, outputs));
  pool.give(hiddenSize, dy);

  const dq = pool.takeZeros(packed.rows, queryWidth);
  const dk = pool.takeZeros(packed.rows, keyWidth);
  const dv = pool.takeZeros(packed.rows, keyWidth);
  const attention = packed.segments.map((segment) => {
    const { start, rows } = segment;
    const { shape, key } = attentionShape(segment, window);
    return {
      key: `attention-backward ${key}`,
      build: () => attentionBackward(config, shape, dtype),
      feeds: {
        ...attentionFeeds(context, segment, kept),
        o: rowsOf(o, start, rows, queryWidth),
        do: rowsOf(dOut, start, rows, queryWidth),
      },
      into: { 'grad.q': rowsOf(dq, start, rows, queryWidth) },
    };
  });
  await lanes.runAll(attention, inputs, (outputs, i) => {
    const segment = packed.segments[i]!;
    const { start, rows, prefixStart, prefixRows } = segment;
    // Every branch adds to its prefix's keys and values.
    for (const [sum, { data }] of [
      [dk, outputs['grad.k']!],
      [dv, outputs['grad.v']!],
    ] as const) {
      addTo(sum, prefixStart * keyWidth, data as Floats, 0, prefixRows * keyWidth);
      addTo(sum, start * keyWidth, data as Floats, prefixRows * keyWidth, rows * keyWidth);
    }
    returnFeeds(context, segment, attention[i]!.feeds);
  });
  pool.give(queryWidth, dOut);

  const dx = pool.take(packed.rows, hiddenSize);
  const before = blocks.map(({ start, rows }) => {
    const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
    return {
      key: `before-backward ${rows}`,
      build: () => beforeBackward(config, rows, linears),
      feeds: {
        ...rotaryRows(rotary, start, rows),
        x: part(state.x, hiddenSize),
        dq: part(dq, queryWidth),
        dk: part(dk, keyWidth),
        dv: part(dv, keyWidth),
        dx: part(flow, hiddenSize),
      },
      into: { 'grad.x': part(dx, hiddenSize) },
    };
  });
  await lanes.runAll(before, inputs, (outputs) => addGradients(sums, outputs));
  pool.give(hiddenSize, flow);
  pool.give(queryWidth, dq);
  pool.give(keyWidth, dk, dv);
  return dx;
}
