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

/** The columns of each key head's queries, [rows, heads * d] -> kvHeads times [rows * group, d]: rows of a row side by side. */
function toHeads(g: GraphBuilder, x: Value, kvHeads: number, d: number): Value[] {
  const [rows, width] = x.shape as [number, number];
  const parts = kvHeads === 1 ? [x] : g.apply('Split', [x], { axis: 1, sizes: Array(kvHeads).fill(width / kvHeads) });
  return parts.map((part) => matrix(g, part, (rows * width) / kvHeads / d, d));
}

/** The inverse of toHeads. */
function fromHeads(g: GraphBuilder, parts: readonly Value[], rows: number): Value {
  const byRow = parts.map((part) => matrix(g, part, rows, (part.shape[0]! / rows) * part.shape[1]!));
  return byRow.length === 1 ? byRow[0]! : g.op('Concat', byRow, { axis: 1 });
}

function matrix(g: GraphBuilder, x: Value, rows: number, columns: number): Value {
  return x.shape.join() === `${rows},${columns}` ? x : g.op('Reshape', [x], { shape: [rows, columns] });
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
 * 0 where row i of the block sees key j, very negative elsewhere: [rows * group, keys], each row `group` times. The block's
 * own rows are its last keys, so the mask's triangle stands at the right end; its transpose hides, row by row, the first
 * keys that the window has left.
 */
function visibility(g: GraphBuilder, mask: Value, layout: Layout, { rows, firstKey, endKey }: Block): Value {
  const { block, window, heads, kvHeads } = layout;
  const keys = endKey - firstKey;
  const own = repeatRows(g, rowsOf(g, rowsOf(g, mask, 0, rows, 0), 0, rows, 1), heads / kvHeads);
  const causal = keys === rows ? own : g.op('Pad', [own], { pads: [0, keys - rows, 0, 0] });
  // Row i sees from key endKey - rows + i - window + 1 on: column i - late.
  const late = window === undefined ? block : firstKey - (endKey - rows - window + 1);
  if (late >= rows - 1) return causal;
  const passed = repeatRows(
    g,
    rowsOf(g, rowsOf(g, g.op('Transpose', [mask], { perm: [1, 0] }), 0, rows, 0), late, rows, 1),
    heads / kvHeads,
  );
  const left = rows - late === keys ? passed : g.op('Pad', [passed], { pads: [0, 0, 0, keys - (rows - late)] });
  return g.op('Add', [causal, left]);
}

function repeatRows(g: GraphBuilder, x: Value, times: number): Value {
  if (times === 1) return x;
  const [rows, columns] = x.shape as [number, number];
  const apart = g.op('Reshape', [x], { shape: [rows, 1, columns] });
  return matrix(g, g.op('Expand', [apart], { shape: [rows, times, columns] }), rows * times, columns);
}

/** Probabilities [rows * group, keys] of one block and one key head. */
function probabilities(g: GraphBuilder, queries: Value, keys: Value, visible: Value, scale: number): Value {
  return g.op('Softmax', [g.op('Gemm', [queries, keys, visible], { transB: 1, alpha: scale })]);
}

/** What the blocks add to the keys of one head: a^T b of each, over the keys it sees. */
interface KeyTerm extends Block {
  readonly a: Value;
  readonly b: Value;
}

/**
 * sum over blocks of alpha a^T b [keys of the block, d] -> [total, d]. From the last block to the first: what a block sees
 * beyond the one before it is complete with it, and the rest is what the next product starts from.
 */
function sumOverKeys(g: GraphBuilder, terms: readonly KeyTerm[], total: number, alpha: number): Value {
  const complete: Value[] = [];
  let sum: { readonly value: Value; readonly firstKey: number } | undefined;
  for (const { a, b, firstKey, endKey } of [...terms].reverse()) {
    const attributes = { transA: 1, alpha };
    if (!sum) {
      sum = { value: g.op('MatMul', [a, b], attributes), firstKey };
      continue;
    }
    const shared = endKey - sum.firstKey;
    const length = sum.value.shape[0]!;
    if (shared > 0 && shared < length) {
      const [rest, done] = g.apply('Split', [sum.value], { axis: 0, sizes: [shared, length - shared] });
      complete.unshift(done!);
      sum = { value: rest!, firstKey: sum.firstKey };
    } else if (shared <= 0) {
      throw new TypeError('internal: neighbouring blocks share no key');
    }
    const before = sum.firstKey - firstKey;
    const start = before === 0 ? sum.value : g.op('Pad', [sum.value], { pads: [before, 0, 0, 0] });
    sum = { value: g.op('Gemm', [a, b, start], attributes), firstKey };
  }
  const all = [sum!.value, ...complete];
  const joined = all.length === 1 ? all[0]! : g.op('Concat', all, { axis: 0 });
  const missing = total - joined.shape[0]!;
  return missing === 0 ? joined : g.op('Pad', [joined], { pads: [missing, 0, 0, 0] });
}

const layoutOf = (attributes: Attributes) => attributes as unknown as Layout;

export const attention = {
  /**
   * Inputs q [rows, heads * d], k and v [prefix + rows, kvHeads * d], mask [block, block] (0 on and below the diagonal,
   * very negative above). Row i attends to keys 0 .. prefix + i, or the last `window` of them. Output o [rows, heads * d].
   *
   *   p = softmax(scale q k^T + mask), o = p v
   *   dv = p^T do, dp = do v^T, ds = p (dp - rowsum(do o)), dq = scale ds k, dk = scale ds^T q
   * (rowsum(do o) = rowsum(dp p): arXiv 2205.14135, equation 4.) The queries of a key head are one tall matrix, and each
   * key head has products of its own: their scores stay in the cache from one op to the next.
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
      const { heads, kvHeads, scale } = layout;
      const d = q!.shape[1]! / heads;
      const keys = toHeads(g, k!, kvHeads, d);
      const values = toHeads(g, v!, kvHeads, d);
      const parts = blocksOf(q!, k!, layout).map((block) => {
        const { start, rows, firstKey, endKey } = block;
        const visible = visibility(g, mask!, layout, block);
        const outputs = toHeads(g, rowsOf(g, q!, start, start + rows), kvHeads, d).map((queries, head) => {
          const p = probabilities(g, queries, rowsOf(g, keys[head]!, firstKey, endKey), visible, scale);
          return g.op('MatMul', [p, rowsOf(g, values[head]!, firstKey, endKey)]);
        });
        return fromHeads(g, outputs, rows);
      });
      return [parts.length === 1 ? parts[0]! : g.op('Concat', parts, { axis: 0 })];
    },
    vjp(c) {
      const { g } = c;
      const [q, k, v, mask] = c.inputs as [Value, Value, Value, Value];
      const layout = layoutOf(c.node.attributes);
      const { heads, kvHeads, scale } = layout;
      const d = q.shape[1]! / heads;
      const total = k.shape[0]!;
      const keys = toHeads(g, k, kvHeads, d);
      const values = toHeads(g, v, kvHeads, d);
      const keyTerms: KeyTerm[][] = keys.map(() => []);
      const valueTerms: KeyTerm[][] = keys.map(() => []);
      const dqs = blocksOf(q, k, layout).map((block) => {
        const { start, rows, firstKey, endKey } = block;
        const visible = visibility(g, mask, layout, block);
        const byHead = (x: Value) => toHeads(g, rowsOf(g, x, start, start + rows), kvHeads, d);
        const outputs = byHead(c.outputs[0]!);
        const outputGrads = byHead(onlyGrad(c));
        const grads = byHead(q).map((queries, head) => {
          const dOut = outputGrads[head]!;
          const seen = rowsOf(g, keys[head]!, firstKey, endKey);
          const p = probabilities(g, queries, seen, visible, scale);
          const dot = g.op('ReduceSum', [g.op('Mul', [dOut, outputs[head]!])], { axes: [1] });
          const seenValues = rowsOf(g, values[head]!, firstKey, endKey);
          const ds = g.op('Mul', [p, g.op('Gemm', [dOut, seenValues, g.op('Neg', [dot])], { transB: 1 })]);
          keyTerms[head]!.push({ ...block, a: ds, b: queries });
          valueTerms[head]!.push({ ...block, a: p, b: dOut });
          return g.op('MatMul', [ds, seen], { alpha: scale });
        });
        return fromHeads(g, grads, rows);
      });
      const dk = keyTerms.map((terms) => sumOverKeys(g, terms, total, scale));
      const dv = valueTerms.map((terms) => sumOverKeys(g, terms, total, 1));
      return [
        dqs.length === 1 ? dqs[0]! : g.op('Concat', dqs, { axis: 0 }),
        fromHeads(g, dk, total),
        fromHeads(g, dv, total),
        null,
      ];
    },
  },
} satisfies Record<string, Op>;
