/**
 * Causal attention of one token segment over a prefix and itself, in blocks of query rows: a block sees only the keys it
 * may attend to, so no square mask exists and the upper half is never computed.
 */

import type { Attributes, GraphBuilder, Value } from '../graph.ts';
import { check, type Op, onlyGrad } from './op.ts';

interface Layout {
  heads: number;
  kvHeads: number;
  /** Query rows a block. */
  block: number;
  /** Scores are scaled by this. */
  scale: number;
  /** Keys a row sees, its own included; absent: all before it. */
  window?: number;
}

interface Block {
  start: number;
  rows: number;
  /** Keys firstKey..endKey are visible to some row of the block. */
  firstKey: number;
  endKey: number;
}

/** [rows, heads * d] -> [kvHeads, group * rows, d]: the query heads that share a key head become one taller matrix. */
function toHeads(g: GraphBuilder, x: Value, heads: number, kvHeads: number): Value {
  const [rows, width] = x.shape as [number, number];
  const d = width / heads;
  const split = g.op('Reshape', [x], { shape: [rows, kvHeads, heads / kvHeads, d] });
  const turned = g.op('Transpose', [split], { perm: [1, 2, 0, 3] });
  return g.op('Reshape', [turned], { shape: [kvHeads, (heads / kvHeads) * rows, d] });
}

/** The inverse of toHeads. */
function fromHeads(g: GraphBuilder, x: Value, heads: number): Value {
  const [kvHeads, tall, d] = x.shape as [number, number, number];
  const group = heads / kvHeads;
  const rows = tall / group;
  const split = g.op('Reshape', [x], { shape: [kvHeads, group, rows, d] });
  const turned = g.op('Transpose', [split], { perm: [2, 0, 1, 3] });
  return g.op('Reshape', [turned], { shape: [rows, heads * d] });
}

function blocksOf(q: Value, k: Value, { block, window = Number.POSITIVE_INFINITY }: Layout): Block[] {
  const rows = q.shape[0]!;
  const prefix = k.shape[0]! - rows;
  return Array.from({ length: Math.ceil(rows / block) }, (_, i) => {
    const start = i * block;
    const size = Math.min(block, rows - start);
    const firstKey = Math.max(0, prefix + start - window + 1);
    return { start, rows: size, firstKey, endKey: prefix + start + size };
  });
}

function rowsOf(g: GraphBuilder, x: Value, start: number, end: number, axis = 0): Value {
  return start === 0 && end === x.shape[axis] ? x : g.op('Slice', [x], { axis, start, end });
}

/**
 * 0 where row i of the block sees key j, very negative elsewhere: [rows, keys]. The block's own rows are its last keys, so
 * the mask's triangle stands at the right end; its transpose hides, row by row, the first keys that the window has left.
 */
function visibility(g: GraphBuilder, mask: Value, { block, window }: Layout, { rows, firstKey, endKey }: Block): Value {
  const keys = endKey - firstKey;
  const own = rowsOf(g, rowsOf(g, mask, 0, rows, 0), 0, rows, 1);
  const causal = keys === rows ? own : g.op('Pad', [own], { pads: [0, keys - rows, 0, 0] });
  // Row i sees from key endKey - rows + i - window + 1 on: column i - late.
  const late = window === undefined ? block : firstKey - (endKey - rows - window + 1);
  if (late >= rows - 1) return causal;
  const passed = rowsOf(g, rowsOf(g, g.op('Transpose', [mask], { perm: [1, 0] }), 0, rows, 0), late, rows, 1);
  const left = rows - late === keys ? passed : g.op('Pad', [passed], { pads: [0, 0, 0, keys - (rows - late)] });
  return g.op('Add', [causal, left]);
}

/** Probabilities [kvHeads, group * rows, keys] of one block, and its queries and keys by head. */
function probabilities(g: GraphBuilder, q: Value, kHeads: Value, mask: Value, layout: Layout, block: Block) {
  const { heads, kvHeads, scale } = layout;
  const { start, rows, firstKey, endKey } = block;
  const keys = endKey - firstKey;
  const group = heads / kvHeads;
  const queries = toHeads(g, rowsOf(g, q, start, start + rows), heads, kvHeads);
  const visible = rowsOf(g, kHeads, firstKey, endKey, 1);
  const scores = g.op('MatMul', [queries, visible], { transB: 1, alpha: scale });
  const byQuery = g.op('Reshape', [scores], { shape: [kvHeads, group, rows, keys] });
  const masked = g.op('Add', [byQuery, visibility(g, mask, layout, block)]);
  const p = g.op('Reshape', [g.op('Softmax', [masked])], { shape: [kvHeads, group * rows, keys] });
  return { queries, visible, p };
}

function sum(g: GraphBuilder, parts: Value[]): Value {
  return parts.reduce((a, b) => g.op('Add', [a, b]));
}

/** [kvHeads, d, keys] -> [total, kvHeads * d], zero where no key of this block is. */
function keyGrad(g: GraphBuilder, byHead: Value, { firstKey, endKey }: Block, total: number): Value {
  const [kvHeads, d, keys] = byHead.shape as [number, number, number];
  const rows = g.op('Reshape', [g.op('Transpose', [byHead], { perm: [2, 0, 1] })], { shape: [keys, kvHeads * d] });
  return keys === total ? rows : g.op('Pad', [rows], { pads: [firstKey, 0, total - endKey, 0] });
}

const layoutOf = (attributes: Attributes) => attributes as unknown as Layout;

export const attention = {
  /**
   * Inputs q [rows, heads * d], k and v [prefix + rows, kvHeads * d], mask [block, block] (0 on and below the diagonal,
   * very negative above). Row i attends to keys 0 .. prefix + i, or the last `window` of them. Output o [rows, heads * d].
   *
   *   p = softmax(scale q k^T + mask), o = p v
   *   dv = p^T do, dp = do v^T, ds = p (dp - rowsum(do o)), dq = scale ds k, dk = scale ds^T q
   * (rowsum(do o) = rowsum(dp p): arXiv 2205.14135, equation 4.) dk and dv are built transposed, so that the large
   * matrices p and ds are never the transposed operand.
   */
  CausalAttention: {
    infer([q, k, v, mask], attributes) {
      const { heads, kvHeads, block, window = 1 } = layoutOf(attributes);
      check(
        [k, v, mask].every((input) => input!.dtype === q!.dtype),
        'types differ',
      );
      check(q!.shape[1]! % heads === 0, `${q!.shape[1]} columns are not ${heads} heads`);
      check(q!.shape[1]! / heads === k!.shape[1]! / kvHeads && heads % kvHeads === 0, 'head counts do not fit');
      check(k!.shape.join() === v!.shape.join() && k!.shape[0]! >= q!.shape[0]!, 'keys and values do not fit');
      check(Number.isInteger(window) && window > 0, 'a row must see itself');
      check(mask!.shape.join() === `${block},${block}`, `mask must be [${block},${block}]`);
      return [{ dtype: q!.dtype, shape: q!.shape }];
    },
    lower(g, [q, k, v, mask], attributes) {
      const layout = layoutOf(attributes);
      const { heads, kvHeads } = layout;
      const kHeads = toHeads(g, k!, kvHeads, kvHeads);
      const vHeads = toHeads(g, v!, kvHeads, kvHeads);
      const parts = blocksOf(q!, k!, layout).map((block) => {
        const { p } = probabilities(g, q!, kHeads, mask!, layout, block);
        return fromHeads(g, g.op('MatMul', [p, rowsOf(g, vHeads, block.firstKey, block.endKey, 1)]), heads);
      });
      return [parts.length === 1 ? parts[0]! : g.op('Concat', parts, { axis: 0 })];
    },
    vjp(c) {
      const { g } = c;
      const [q, k, v, mask] = c.inputs as [Value, Value, Value, Value];
      const layout = layoutOf(c.node.attributes);
      const { heads, kvHeads, scale } = layout;
      const o = c.outputs[0]!;
      const kHeads = toHeads(g, k, kvHeads, kvHeads);
      const vHeads = toHeads(g, v, kvHeads, kvHeads);
      const total = k.shape[0]!;
      const dqs: Value[] = [];
      const dks: Value[] = [];
      const dvs: Value[] = [];
      for (const block of blocksOf(q, k, layout)) {
        const { queries, visible, p } = probabilities(g, q, kHeads, mask, layout, block);
        const end = block.start + block.rows;
        const dOut = toHeads(g, rowsOf(g, onlyGrad(c), block.start, end), heads, kvHeads);
        const out = toHeads(g, rowsOf(g, o, block.start, end), heads, kvHeads);
        const dot = g.op('ReduceSum', [g.op('Mul', [dOut, out])], { axes: [2] });
        const dp = g.op('MatMul', [dOut, rowsOf(g, vHeads, block.firstKey, block.endKey, 1)], { transB: 1 });
        const ds = g.op('Mul', [p, g.op('Sub', [dp, dot])]);
        dqs.push(fromHeads(g, g.op('MatMul', [ds, visible], { alpha: scale }), heads));
        dks.push(keyGrad(g, g.op('MatMul', [queries, ds], { transA: 1, alpha: scale }), block, total));
        dvs.push(keyGrad(g, g.op('MatMul', [dOut, p], { transA: 1 }), block, total));
      }
      return [dqs.length === 1 ? dqs[0]! : g.op('Concat', dqs, { axis: 0 }), sum(g, dks), sum(g, dvs), null];
    },
  },
} satisfies Record<string, Op>;
