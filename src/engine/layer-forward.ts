/** One layer forward: token-wise graphs in row blocks around attention, segment by segment. */

import type { Tensor } from '../graph/value.ts';
import { afterForward, attentionForward, beforeForward } from '../model/layer-graphs.ts';
import { attentionFeeds } from './attention-feeds.ts';
import { type Floats, rowsOf, zeros } from './floats.ts';
import { ATTENTION_BLOCK, type EngineContext, type LayerPass, rowBlocks } from './layer-context.ts';
import { rotaryRows } from './rotary-tables.ts';

/** The layer's output `[rows, hidden]`. With `keep`, `pass.state.kept` holds what backward reads. */
export async function layerForward(context: EngineContext, pass: LayerPass, keep: boolean): Promise<Floats> {
  const { cache, dtype, linears } = context;
  const { config } = context.model;
  const { hiddenSize, heads, kvHeads, headDim } = config;
  const { packed, rotary, parameters, state } = pass;
  const blocks = rowBlocks(packed.rows);
  const q = zeros(dtype, packed.rows * heads * headDim);
  const k = zeros(dtype, packed.rows * kvHeads * headDim);
  const v = zeros(dtype, packed.rows * kvHeads * headDim);
  for (const { start, rows } of blocks) {
    const out = await cache.run(`before-forward ${rows}`, () => beforeForward(config, rows, linears), {
      ...parameters,
      ...rotaryRows(rotary, start, rows),
      x: rowsOf(state.x, start, rows, hiddenSize),
    });
    q.set(out.q!.data as Floats, start * heads * headDim);
    k.set(out.k!.data as Floats, start * kvHeads * headDim);
    v.set(out.v!.data as Floats, start * kvHeads * headDim);
  }

  const o = zeros(dtype, q.length);
  for (const segment of packed.segments) {
    const { rows, prefixRows } = segment;
    const out = await cache.run(
      `attention-forward ${rows} ${prefixRows}`,
      () => attentionForward(config, rows, prefixRows, ATTENTION_BLOCK, dtype),
      attentionFeeds(context, segment, { q, k, v }),
    );
    o.set(out.o!.data as Floats, segment.start * heads * headDim);
  }

  const y = zeros(dtype, state.x.length);
  const middle: Tensor[] = [];
  const gateUp: Tensor[] = [];
  for (const { start, rows } of blocks) {
    const out = await cache.run(`after-forward ${rows} ${keep}`, () => afterForward(config, rows, linears, keep), {
      ...parameters,
      x: rowsOf(state.x, start, rows, hiddenSize),
      o: rowsOf(o, start, rows, heads * headDim),
    });
    y.set(out.y!.data as Floats, start * hiddenSize);
    if (!keep) continue;
    middle.push(out.middle!);
    gateUp.push(out.gateUp!);
  }
  if (keep) state.kept = { q, k, v, o, middle, gateUp };
  return y;
}
