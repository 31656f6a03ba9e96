/** One layer backward, from what its forward kept: the second half, attention, the first half. */

import { afterBackward, attentionBackward, beforeBackward } from '../model/layer-graphs.ts';
import { addGradients } from './add-gradients.ts';
import { attentionFeeds, returnFeeds } from './attention-feeds.ts';
import { attentionPieces, meets, pieceShape } from './attention-pieces.ts';
import { addTo, type Floats, rowsOf } from './floats.ts';
import {
  type BlockedRows,
  blocksOf,
  type EngineContext,
  type KeptActivations,
  type LayerPass,
  type LayerRun,
  rowBlocks,
} from './layer-context.ts';
import { rotaryRows } from './rotary-tables.ts';

/**
 * Starts a layer's backward, which adds to the gradients of the layer's parameters.
 *
 * @param kept of the same rows
 * @param dy gradient at the layer's output `[rows, hidden]`; given back to the pool
 * @param sums by parameter
 * @returns the gradient at the layer's input, of the pool
 */
export function layerBackward(
  context: EngineContext,
  { packed, rotary, window, inputs, state }: LayerPass,
  kept: KeptActivations,
  dy: BlockedRows,
  sums: Readonly<Record<string, Floats>>,
): LayerRun {
  const { lanes, dtype, linears, pool } = context;
  const { config } = context.model;
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const { o, middle, gate, up } = kept;
  const blocks = rowBlocks(packed.rows);
  const flow = pool.take(packed.rows, hiddenSize);
  const dOut = pool.take(packed.rows, queryWidth);
  const after = lanes.start(
    blocks.map(({ start, rows }) => {
      const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
      return {
        key: `after-backward ${rows}`,
        build: () => afterBackward(config, rows, linears, true),
        after: blocksOf(dy.ready, start, rows),
        feeds: () => ({
          x: part(state.x, hiddenSize),
          o: part(o, queryWidth),
          middle: part(middle, hiddenSize),
          gate: part(gate, intermediateSize),
          up: part(up, intermediateSize),
          dy: part(dy.data, hiddenSize),
        }),
        into: { 'grad.x': part(flow, hiddenSize), 'grad.o': part(dOut, queryWidth) },
      };
    }),
    inputs,
    (outputs) => addGradients(sums, outputs),
  );

  const dq = pool.takeZeros(packed.rows, queryWidth);
  const dk = pool.takeZeros(packed.rows, keyWidth);
  const dv = pool.takeZeros(packed.rows, keyWidth);
  const pieces = attentionPieces(packed, window);
  const feeds: ReturnType<typeof attentionFeeds>[] = [];
  const attention = lanes.start(
    pieces.map((piece, i) => {
      const { start, rows } = piece;
      const { shape, key } = pieceShape(piece, window);
      return {
        key: `attention-backward ${key}`,
        build: () => attentionBackward(config, shape, dtype),
        after: blocksOf(after.placed, start, rows),
        feeds: () => {
          feeds[i] = attentionFeeds(context, piece, kept);
          return {
            ...feeds[i],
            o: rowsOf(o, start, rows, queryWidth),
            do: rowsOf(dOut, start, rows, queryWidth),
          };
        },
        into: { 'grad.q': rowsOf(dq, start, rows, queryWidth) },
      };
    }),
    inputs,
    (outputs, i) => {
      // All that see a key add to it.
      for (const [sum, { data }] of [
        [dk, outputs['grad.k']!],
        [dv, outputs['grad.v']!],
      ] as const) {
        let from = 0;
        for (const { start, rows } of pieces[i]!.keys) {
          addTo(sum, start * keyWidth, data as Floats, from * keyWidth, rows * keyWidth);
          from += rows;
        }
      }
      returnFeeds(context, pieces[i]!, feeds[i]!);
    },
  );

  const dx = pool.take(packed.rows, hiddenSize);
  const before = lanes.start(
    blocks.map(({ start, rows }) => {
      const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
      return {
        key: `before-backward ${rows}`,
        build: () => beforeBackward(config, rows, linears),
        after: [
          ...blocksOf(after.placed, start, rows),
          ...attention.summed.filter((_, i) => pieces[i]!.keys.some((keys) => meets(keys, { start, rows }))),
        ],
        feeds: () => ({
          ...rotaryRows(rotary, start, rows),
          x: part(state.x, hiddenSize),
          dq: part(dq, queryWidth),
          dk: part(dk, keyWidth),
          dv: part(dv, keyWidth),
          dx: part(flow, hiddenSize),
        }),
        into: { 'grad.x': part(dx, hiddenSize) },
      };
    }),
    inputs,
    (outputs) => addGradients(sums, outputs),
  );
  const finish = async () => {
    await Promise.all(after.summed);
    pool.give(hiddenSize, dy.data);
    await Promise.all(attention.summed);
    pool.give(queryWidth, dOut);
    await Promise.all(before.summed);
    pool.give(hiddenSize, flow);
    pool.give(queryWidth, dq);
    pool.give(keyWidth, dk, dv);
  };
  return { rows: { data: dx, ready: before.placed }, done: lanes.watched(finish()) };
}
