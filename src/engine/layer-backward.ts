/** One layer backward, from what its forward kept: the second half, attention, the first half. */

import type { Tensor } from '../graph/value.ts';
import { afterBackward, attentionBackward, beforeBackward } from '../model/layer-graphs.ts';
import { attentionFeeds } from './attention-feeds.ts';
import { addTo, type Floats, rowsOf, zeros } from './floats.ts';
import {
  ATTENTION_BLOCK,
  type EngineContext,
  type KeptActivations,
  type LayerPass,
  rowBlocks,
} from './layer-context.ts';
import { rotaryRows } from './rotary-tables.ts';

/**
 * Adds to the adapter's gradients.
 *
 * @param kept of the same rows
 * @param dy gradient at the layer's output `[rows, hidden]`
 * @param grads sums by parameter
 * @returns the gradient at the layer's input
 */
export async function layerBackward(
  context: EngineContext,
  { packed, rotary, parameters, state }: LayerPass,
  kept: KeptActivations,
  dy: Floats,
  grads: Record<string, Floats>,
): Promise<Floats> {
  const { cache, dtype, linears } = context;
  const { config } = context.model;
  const { hiddenSize, heads, kvHeads, headDim } = config;
  const { q, o, middle, gateUp } = kept;
  const blocks = rowBlocks(packed.rows);
  const flow = zeros(dtype, dy.length);
  const dOut = zeros(dtype, o.length);
  for (const [i, { start, rows }] of blocks.entries()) {
    const out = await cache.run(`after-backward ${rows}`, () => afterBackward(config, rows, linears, true), {
      ...parameters,
      x: rowsOf(state.x, start, rows, hiddenSize),
      o: rowsOf(o, start, rows, heads * headDim),
      middle: middle[i]!,
      gateUp: gateUp[i]!,
      dy: rowsOf(dy, start, rows, hiddenSize),
    });
    flow.set(out['grad.x']!.data as Floats, start * hiddenSize);
    dOut.set(out['grad.o']!.data as Floats, start * heads * headDim);
    accumulate(grads, out);
  }

  const dq = zeros(dtype, q.length);
  const dk = zeros(dtype, kept.k.length);
  const dv = zeros(dtype, kept.v.length);
  const width = kvHeads * headDim;
  for (const segment of packed.segments) {
    const { start, rows, prefixStart, prefixRows } = segment;
    const out = await cache.run(
      `attention-backward ${rows} ${prefixRows}`,
      () => attentionBackward(config, rows, prefixRows, ATTENTION_BLOCK, dtype),
      {
        ...attentionFeeds(context, segment, kept),
        o: rowsOf(o, start, rows, heads * headDim),
        do: rowsOf(dOut, start, rows, heads * headDim),
      },
    );
    dq.set(out['grad.q']!.data as Floats, start * heads * headDim);
    // Every branch adds to its prefix's keys and values.
    for (const [sum, part] of [
      [dk, out['grad.k']!.data as Floats],
      [dv, out['grad.v']!.data as Floats],
    ] as const) {
      addTo(sum, prefixStart * width, part, 0, prefixRows * width);
      addTo(sum, start * width, part, prefixRows * width, rows * width);
    }
  }

  const dx = zeros(dtype, dy.length);
  for (const { start, rows } of blocks) {
    const out = await cache.run(`before-backward ${rows}`, () => beforeBackward(config, rows, linears), {
      ...parameters,
      ...rotaryRows(rotary, start, rows),
      x: rowsOf(state.x, start, rows, hiddenSize),
      dq: rowsOf(dq, start, rows, heads * headDim),
      dk: rowsOf(dk, start, rows, width),
      dv: rowsOf(dv, start, rows, width),
      dx: rowsOf(flow, start, rows, hiddenSize),
    });
    dx.set(out['grad.x']!.data as Floats, start * hiddenSize);
    accumulate(grads, out);
  }
  return dx;
}

function accumulate(grads: Record<string, Floats>, outputs: Record<string, Tensor>): void {
  for (const [name, sum] of Object.entries(grads)) {
    const part = outputs[`grad.${name}`];
    if (part) addTo(sum, 0, part.data as Floats, 0, sum.length);
  }
}
