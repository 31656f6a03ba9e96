/** One layer forward: token-wise graphs in row blocks around attention, piece by piece. */

import { oneKeyHead } from '../model/decoder-layer.ts';
import { afterForward, attentionForward, beforeForward } from '../model/layer-graphs.ts';
import { attentionFeeds, returnFeeds } from './attention-feeds.ts';
import { headPieces, meets, pieceShape } from './attention-pieces.ts';
import { type Floats, rowsOf } from './floats.ts';
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
 * Starts a layer. Its tasks wait for the rows of `x` that they read, so that layers follow one another without a pause.
 *
 * @param keep `pass.state.kept` will hold what backward reads
 * @returns the layer's output `[rows, hidden]`, of the pool
 */
export function layerForward(context: EngineContext, pass: LayerPass, x: BlockedRows, keep: boolean): LayerRun {
  const { lanes, dtype, linears, pool } = context;
  const { config } = context.model;
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  const { packed, rotary, window, inputs, state } = pass;
  const queryWidth = (heads / kvHeads) * headDim;
  const blocks = rowBlocks(packed.rows);
  const [q, k, v, o] = [queryWidth, headDim, headDim, queryWidth].map(
    (width) => new Heads(pool, kvHeads, packed.rows, width),
  ) as [Heads, Heads, Heads, Heads];
  const before = lanes.start(
    blocks.map(({ start, rows }) => ({
      key: `before-forward ${rows}`,
      build: () => beforeForward(config, rows, linears, 'apart'),
      after: blocksOf(x.ready, start, rows),
      feeds: () => ({ ...rotaryRows(rotary, start, rows), x: rowsOf(x.data, start, rows, hiddenSize) }),
      into: { ...q.named('q', start, rows), ...k.named('k', start, rows), ...v.named('v', start, rows) },
    })),
    inputs,
  );

  // Rows behind the last segment are padding.
  o.clear(attendedRows(packed));
  const pieces = headPieces(packed, window, kvHeads);
  const oneHead = oneKeyHead(config);
  const feeds: ReturnType<typeof attentionFeeds>[] = [];
  const attention = lanes.start(
    pieces.map(({ piece, head }, i) => {
      const { shape, key } = pieceShape(piece, window);
      return {
        key: `attention-forward ${key}`,
        build: () => attentionForward(oneHead, shape, dtype),
        after: piece.keys.flatMap(({ start, rows }) => blocksOf(before.placed, start, rows)),
        feeds: () => {
          feeds[i] = attentionFeeds(context, piece, head, { q, k, v });
          return feeds[i];
        },
        into: { o: o.of(head, piece.start, piece.rows) },
      };
    }),
    inputs,
    (_, i) => returnFeeds(context, pieces[i]!.piece, feeds[i]!),
  );

  const y = pool.take(packed.rows, hiddenSize);
  const kept: KeptActivations | undefined = keep
    ? {
        ...{ q, k, v, o, middle: pool.take(packed.rows, hiddenSize) },
        gate: pool.take(packed.rows, intermediateSize),
        up: pool.take(packed.rows, intermediateSize),
      }
    : undefined;
  if (kept) state.kept = kept;
  const after = lanes.start(
    blocks.map(({ start, rows }) => {
      const part = (all: Floats, width: number) => rowsOf(all, start, rows, width);
      return {
        key: `after-forward ${rows} ${keep}`,
        build: () => afterForward(config, rows, linears, keep, 'apart'),
        after: [
          ...blocksOf(before.placed, start, rows),
          ...attention.placed.filter((_, i) => meets(pieces[i]!.piece, { start, rows })),
        ],
        feeds: () => ({ x: part(x.data, hiddenSize), ...o.named('o', start, rows) }),
        into: {
          y: part(y, hiddenSize),
          ...(kept && {
            middle: part(kept.middle, hiddenSize),
            gate: part(kept.gate, intermediateSize),
            up: part(kept.up, intermediateSize),
          }),
        },
      };
    }),
    inputs,
  );
  const finish = async () => {
    await Promise.all([...before.summed, ...attention.summed, ...after.summed]);
    if (keep) return;
    for (const one of [q, k, v, o]) one.give();
  };
  return { rows: { data: y, ready: after.placed }, done: lanes.watched(finish()) };
}

/** Rows up to the end of the last segment. */
function attendedRows({ segments }: LayerPass['packed']): number {
  const last = segments.at(-1);
  return last ? last.start + last.rows : 0;
}

/** Gives back what a layer kept. */
export function returnKept({ model, pool }: EngineContext, state: Pick<LayerPass['state'], 'kept'>): void {
  const { hiddenSize, intermediateSize } = model.config;
  const { q, k, v, o, middle, gate, up } = state.kept!;
  for (const one of [q, k, v, o]) one.give();
  pool.give(hiddenSize, middle);
  pool.give(intermediateSize, gate, up);
  delete state.kept;
}
