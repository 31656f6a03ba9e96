/** The derivative of causal attention, in tiles of keys and query rows. */

import type { GraphBuilder, Value } from '../graph.ts';
import { concat, fromHeads, type Layout, repeatRows, rowsOf, toHeads, transposed } from './attention-layout.ts';

/** Blocks of query rows in a tile, and blocks of keys that all its rows see: its scores should stay in the cache. */
const ROW_BLOCKS = 2;
const KEY_BLOCKS = 8;

/** With a window, tiles are as small as the mask. */
const tileRows = ({ block, window }: Layout) => (window === undefined ? ROW_BLOCKS * block : block);

interface Tile {
  readonly firstKey: number;
  readonly endKey: number;
  /** The rows that see some of the keys. */
  readonly start: number;
  readonly end: number;
}

/** Ranges of at most `most` from start to end, as even as they can be. */
function ranges(start: number, end: number, most: number): [number, number][] {
  const count = Math.ceil((end - start) / most);
  const at = (i: number) => start + Math.round(((end - start) * i) / count);
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)]);
}

/** The keys that rows see, in the parts that tiles have: the rows' own as the rows are divided. */
function keyParts(rows: number, total: number, layout: Layout): [number, number][] {
  const { block, window } = layout;
  const prefix = total - rows;
  const first = window === undefined ? 0 : Math.max(0, prefix - window + 1);
  return [
    ...ranges(first, prefix, window === undefined ? KEY_BLOCKS * block : block),
    ...steps(prefix, total, tileRows(layout)),
  ];
}

/** Ranges of `size` from start on, the last up to end. */
function steps(start: number, end: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil((end - start) / size) }, (_, i) => [
    start + i * size,
    Math.min(end, start + (i + 1) * size),
  ]);
}

/**
 * 0 where key j of a tile is seen by row i, very negative elsewhere: [keys, rows * group], each row `group` times;
 * undefined where all rows see all keys.
 */
function hidden(g: GraphBuilder, mask: Value, layout: Layout, prefix: number, tile: Tile): Value | undefined {
  const { heads, kvHeads, window } = layout;
  const { firstKey, endKey, start, end } = tile;
  const keys = endKey - firstKey;
  const rows = end - start;
  const terms: Value[] = [];
  // Row i hides what comes after it: the tile's keys are then those of its first rows.
  if (endKey - 1 - prefix > start) {
    const own = rowsOf(g, rowsOf(g, mask, 0, keys, 0), 0, keys, 1);
    terms.push(rows === keys ? own : g.op('Pad', [own], { pads: [0, 0, rows - keys, 0] }));
  }
  // Key j is last seen by row j + seen - 1 of the tile.
  const seen = window === undefined ? rows : firstKey + window - prefix - start;
  if (seen < rows) {
    const from = Math.max(0, seen);
    const passed = rowsOf(g, rowsOf(g, transposed(g, mask), from - seen + 1, rows - seen + 1, 0), 0, keys, 1);
    terms.push(from === 0 ? passed : g.op('Pad', [passed], { pads: [from, 0, 0, 0] }));
  }
  if (terms.length === 0) return undefined;
  const byRow = terms.length === 1 ? terms[0]! : g.op('Add', terms);
  return transposed(g, repeatRows(g, byRow, heads / kvHeads));
}

/** a b + sum. */
function addProduct(g: GraphBuilder, a: Value, b: Value, sum: Value | undefined, alpha = 1): Value {
  return sum ? g.op('Gemm', [a, b, sum], { alpha }) : g.op('MatMul', [a, b], { alpha });
}

/** A sum over the tiles of some rows, transposed: rows that no further tile has are complete. */
class RowSums {
  private readonly complete: Value[] = [];
  private sum: Value | undefined;
  private start = 0;
  private end = 0;

  /** Adds alpha a b [d, rows * group] of rows start to end, neither before those of the last call. */
  add(g: GraphBuilder, a: Value, b: Value, { start, end }: Tile, group: number, alpha: number): void {
    if (this.sum && start > this.start) {
      const done = (start - this.start) * group;
      const length = this.sum.shape[1]!;
      const [complete, rest] = g.apply('Split', [this.sum], { axis: 1, sizes: [done, length - done] });
      this.complete.push(complete!);
      this.sum = rest!;
    }
    if (this.sum && end > this.end) {
      this.sum = g.op('Pad', [this.sum], { pads: [0, 0, 0, (end - this.end) * group] });
    }
    this.sum = addProduct(g, a, b, this.sum, alpha);
    this.start = start;
    this.end = end;
  }

  /** [d, rows * group]. */
  all(): Value[] {
    return [...this.complete, this.sum!];
  }
}

/**
 * Of inputs q, k, v, mask, outputs o and l (log sum exp of the scores, by row and head) and do: dq, dk, dv.
 *
 *   p = exp(s - l), dv = p^T do, dp = do v^T, ds = p (dp - rowsum(do o)), dq = scale ds k, dk = scale ds^T q
 * (rowsum(do o) = rowsum(dp p): arXiv 2205.14135, equation 4.) With l, a tile of some keys and rows needs no others. Plain
 * products are the fastest, with the tall matrix at the left and nothing broadcast over it, so tiles are transposed, and l
 * and rowsum(do o) one more column of the products:
 *   s^T - l^T = [k, -1] [scale q, l]^T, dp^T - rowsum(do o)^T = [v, -1] [do, rowsum(do o)]^T, dq^T = scale k^T ds^T.
 */
export function attentionGradients(
  g: GraphBuilder,
  layout: Layout,
  [q, k, v, mask]: readonly Value[],
  [o, l]: readonly Value[],
  dOut: Value,
): Value[] {
  const { heads, kvHeads, block, scale, window } = layout;
  const group = heads / kvHeads;
  const [rows, width] = q!.shape as [number, number];
  const total = k!.shape[0]!;
  const prefix = total - rows;
  const d = width / heads;
  const minusOnes = g.op('Expand', [g.scalar(-1, q!.dtype)], { shape: [total, 1] });
  const byHead = (x: Value, size: number) => toHeads(g, x, kvHeads, size);
  const [keys, values] = [byHead(k!, d), byHead(v!, d)];
  const [queries, outputs, outputGrads] = [byHead(q!, d), byHead(o!, d), byHead(dOut, d)];
  const logSums = byHead(l!, 1);
  const parts = keyParts(rows, total, layout);
  const grads = keys.map((ofHead, head) => {
    const scaled = g.op('Mul', [queries[head]!, g.scalar(scale, q!.dtype)]);
    const dots = g.op('ReduceSum', [g.op('Mul', [outputGrads[head]!, outputs[head]!])], { axes: [1] });
    const keysAndOnes = concat(g, 1, [ofHead, minusOnes]);
    const valuesAndOnes = concat(g, 1, [values[head]!, minusOnes]);
    const queriesAndSums = concat(g, 1, [scaled, logSums[head]!]);
    const gradsAndDots = concat(g, 1, [outputGrads[head]!, dots]);
    const dk: (Value | undefined)[] = parts.map(() => undefined);
    const dv = [...dk];
    const dq: Value[] = [];
    for (const [first, end] of steps(0, rows, tileRows(layout))) {
      const sums = new RowSums();
      for (const [i, [firstKey, endKey]] of parts.entries()) {
        // Of the rows' own keys a block sees fewer than the next, and is a tile; the products start anew there.
        const own = firstKey - prefix === first;
        const keyRanges = own ? steps(firstKey, endKey, block) : [[firstKey, endKey] as const];
        const results = keyRanges.flatMap(([from, to]) => {
          const start = Math.max(first, from - prefix);
          const last = window === undefined ? rows : to - 1 + window - prefix;
          const tile: Tile = { firstKey: from, endKey: to, start, end: Math.min(end, last) };
          if (tile.end <= start) return [];
          const rowsOfTile = (x: Value) => rowsOf(g, x, start * group, tile.end * group);
          const keysOfTile = (x: Value) => rowsOf(g, x, from, to);
          const visible = hidden(g, mask!, layout, prefix, tile);
          const operands = [keysOfTile(keysAndOnes), rowsOfTile(queriesAndSums)];
          const scores = visible
            ? g.op('Gemm', [...operands, visible], { transB: 1 })
            : g.op('MatMul', operands, { transB: 1 });
          const p = g.op('Exp', [scores]);
          const dp = g.op('MatMul', [keysOfTile(valuesAndOnes), rowsOfTile(gradsAndDots)], { transB: 1 });
          const ds = g.op('Mul', [dp, p]);
          sums.add(g, transposed(g, keysOfTile(ofHead)), ds, tile, group, scale);
          const dkOfTile = addProduct(g, ds, rowsOfTile(scaled), dk[i]);
          const dvOfTile = addProduct(g, p, rowsOfTile(outputGrads[head]!), dv[i]);
          return [{ dk: dkOfTile, dv: dvOfTile }];
        });
        if (results.length === 0) continue;
        dk[i] = concat(
          g,
          0,
          results.map((result) => result.dk),
        );
        dv[i] = concat(
          g,
          0,
          results.map((result) => result.dv),
        );
      }
      dq.push(...sums.all());
    }
    const missing = parts[0]![0];
    const allKeys = (x: readonly (Value | undefined)[]) => {
      const joined = concat(g, 0, x as Value[]);
      return missing === 0 ? joined : g.op('Pad', [joined], { pads: [missing, 0, 0, 0] });
    };
    return { dq: transposed(g, concat(g, 1, dq)), dk: allKeys(dk), dv: allKeys(dv) };
  });
  const joined = (name: 'dq' | 'dk' | 'dv', size: number) =>
    fromHeads(
      g,
      size,
      grads.map((ofHead) => ofHead[name]),
    );
  return [joined('dq', rows), joined('dk', total), joined('dv', total)];
}
