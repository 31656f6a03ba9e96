/** One layer backward, from what its forward kept: the second half, attention, the first half. */

import { oneKeyHead } from '../model/decoder-layer.ts';
import { afterBackward, attentionBackward, beforeBackward } from '../model/layer-graphs.ts';
import { addGradients } from './add-gradients.ts';
import { attentionFeeds, returnFeeds } from './attention-feeds.ts';
import { headPieces, meets, pieceShape } from './attention-pieces.ts';
import { addTo, type Floats, rowsOf } from './floats.ts';
import { Heads } from './heads.ts';
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
  const queryWidth = (heads / kvHeads) * headDim;
  const { o, middle, gate, up } = kept;
  const blocks = rowBlocks(packed.rows);
  const flow = pool.take(packed.rows, hiddenSize);
  const apart = (width: number) => new Heads(pool, kvHeads, packed.rows, width);
  const dOut = apart(queryWidth);
  const after = lanes.start(
    blocks.map(({ start, rows }) => {
      const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
      return {
        key: `after-backward ${rows}`,
        build: () => afterBackward(config, rows, linears, true),
        after: blocksOf(dy.ready, start, rows),
        feeds: () => ({
          x: part(state.x, hiddenSize),
          ...o.named('o', start, rows),
          middle: part(middle, hiddenSize),
          gate: part(gate, intermediateSize),
          up: part(up, intermediateSize),
          dy: part(dy.data, hiddenSize),
        }),
        into: { 'grad.x': part(flow, hiddenSize), ...dOut.named('grad.o', start, rows) },
      };
    }),
    inputs,
    (outputs) => addGradients(sums, outputs),
  );

  const [dq, dk, dv] = [apart(queryWidth), apart(headDim), apart(headDim)];
  for (const one of [dq, dk, dv]) one.clear();
  const pieces = headPieces(packed, window, kvHeads);
  const oneHead = oneKeyHead(config);
  const feeds: ReturnType<typeof attentionFeeds>[] = [];
  const attention = lanes.start(
    pieces.map(({ piece, head }, i) => {
      const { start, rows } = piece;
      const { shape, key } = pieceShape(piece, window);
      return {
        key: `attention-backward ${key}`,
        build: () => attentionBackward(oneHead, shape, dtype),
        after: blocksOf(after.placed, start, rows),
        feeds: () => {
          feeds[i] = attentionFeeds(context, piece, head, kept);
          return {
            ...feeds[i],
            o: o.of(head, start, rows),
            do: dOut.of(head, start, rows),
          };
        },
        into: { 'grad.q': dq.of(head, start, rows) },
      };
    }),
    inputs,
    (outputs, i) => {
      const { piece, head } = pieces[i]!;
      // All that see a key add to it.
      for (const [sum, { data }] of [
        [dk, outputs['grad.k']!],
        [dv, outputs['grad.v']!],
      ] as const) {
        let from = 0;
        for (const { start, rows } of piece.keys) {
          addTo(sum.of(head, start, rows).data as Floats, 0, data as Floats, from * headDim, rows * headDim);
          from += rows;
        }
      }
      returnFeeds(context, piece, feeds[i]!);
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
          ...attention.summed.filter((_, i) => pieces[i]!.piece.keys.some((keys) => meets(keys, { start, rows }))),
        ],
        feeds: () => ({
          ...rotaryRows(rotary, start, rows),
          x: part(state.x, hiddenSize),
          ...dq.named('dq', start, rows),
          ...dk.named('dk', start, rows),
          ...dv.named('dv', start, rows),
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
    dOut.give();
    await Promise.all(before.summed);
    pool.give(hiddenSize, flow);
    for (const one of [dq, dk, dv]) one.give();
  };
  return { rows: { data: dx, ready: before.placed }, done: lanes.watched(finish()) };
}
