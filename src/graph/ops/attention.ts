/**
 * Causal attention of one token segment over a prefix and itself, in blocks of query rows: a block sees only the keys it
 * may attend to, so no square mask exists and the upper half is never computed.
 */

import type { Attributes, GraphBuilder, Value } from '../graph.ts';
import { attentionGradients } from './attention-gradients.ts';
import { concat, fromHeads, type Layout, repeatRows, rowsOf, toHeads, transposed } from './attention-layout.ts';
import { check, type Op } from './op.ts';

interface Block {
  start: number;
  rows: number;
  /** Keys firstKey..endKey are visible to some row of the block. */
  firstKey: number;
  endKey: number;
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
  const passed = repeatRows(g, rowsOf(g, rowsOf(g, transposed(g, mask), 0, rows, 0), late, rows, 1), heads / kvHeads);
  const left = rows - late === keys ? passed : g.op('Pad', [passed], { pads: [0, 0, 0, keys - (rows - late)] });
  return g.op('Add', [causal, left]);
}

const largest = (g: GraphBuilder, x: Value) => g.op('ReduceMax', [x], { axes: [1] });

const layoutOf = (attributes: Attributes) => attributes as unknown as Layout;

export const attention = {
  /**
   * Inputs q [rows, heads * d], k and v [prefix + rows, kvHeads * d], mask [block, block] (0 on and below the diagonal,
   * very negative above). Row i attends to keys 0 .. prefix + i, or the last `window` of them. Outputs
   * o [rows, heads * d] and, for the derivative, l [rows, heads]:
   *
   *   s = scale q k^T + mask, p = softmax(s), o = p v, l = log sum exp(s) = max s - log max p
   * The queries of a key head are one tall matrix, and each key head has products of its own: their scores stay in the
   * cache from one op to the next.
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
      return [
        { dtype: q!.dtype, shape: q!.shape },
        { dtype: q!.dtype, shape: [q!.shape[0]!, heads] },
      ];
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
        const byHead = toHeads(g, rowsOf(g, q!, start, start + rows), kvHeads, d).map((queries, head) => {
          const seen = rowsOf(g, keys[head]!, firstKey, endKey);
          const scores = g.op('Gemm', [queries, seen, visible], { transB: 1, alpha: scale });
          const p = g.op('Softmax', [scores]);
          return {
            o: g.op('MatMul', [p, rowsOf(g, values[head]!, firstKey, endKey)]),
            logSum: g.op('Sub', [largest(g, scores), g.op('Log', [largest(g, p)])]),
          };
        });
        const joined = (name: 'o' | 'logSum') =>
          fromHeads(
            g,
            rows,
            byHead.map((ofHead) => ofHead[name]),
          );
        return { o: joined('o'), logSum: joined('logSum') };
      });
      const joined = (name: 'o' | 'logSum') =>
        concat(
          g,
          0,
          parts.map((part) => part[name]),
        );
      return [joined('o'), joined('logSum')];
    },
    vjp(c) {
      check(!c.grads[1], 'internal: the second output of CausalAttention has no derivative');
      return [...attentionGradients(c.g, layoutOf(c.node.attributes), c.inputs, c.outputs, c.grads[0]!), null];
    },
  },
} satisfies Record<string, Op>;
