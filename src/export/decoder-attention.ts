/**
 * Attention of an exported decoder over its cache, spelled out. ONNX Runtime's GroupQueryAttention is not used: in 1.30 its
 * CPU kernel ignores position ids when it decodes, so left-padded batches come out wrong, and it refuses to continue a
 * cache of several rows by more than one token.
 */

import { rotaryRows, rotaryTables } from '../engine/rotary-tables.ts';
import type { Tensor } from '../graph/value.ts';
import { layerAttention, type ModelConfig } from '../model/config.ts';
import type { Rope } from '../model/rope.ts';
import type { NodeList } from './node-list.ts';

/** Added to the scores of keys that must not be seen; finite, so that rows that see nothing (padding) are no NaN. */
const MASKED = -1e9;
/** `ends` of a slice that goes to the end. */
export const TO_END = Number.MAX_SAFE_INTEGER;
/** Element types of Cast. */
const BOOL = 9;

/** What a layer's attention reads; layers that attend alike share it. */
export interface AttentionContext {
  /** `[batch, sequence, 1, headDim / 2]`. */
  readonly cos: string;
  readonly sin: string;
  /** `[batch, 1, 1, sequence, total]`: 0 or MASKED. */
  readonly bias: string;
  /** Shapes of the scores, heads that share keys apart (five axes) and as one taller matrix (four). */
  readonly apart: string;
  readonly tall: string;
}

/**
 * Of each layer: positions and visibility from the mask alone. Token i of a row stands at the count of real tokens before it.
 *
 * @param ids `[batch, sequence]`
 * @param mask `[batch, total]`
 */
export function attentionContexts(list: NodeList, config: ModelConfig, ids: string, mask: string): AttentionContext[] {
  const { heads, kvHeads, headDim, maxPositions } = config;
  const sequence = list.op('Shape', [ids], { start: 1, end: 2 });
  const total = list.op('Shape', [mask], { start: 1, end: 2 });

  const counted = list.op('Sub', [list.op('CumSum', [mask, list.integers(1)]), list.integers(1)]);
  const positions = list.op('Slice', [
    list.op('Max', [counted, list.integers(0)]),
    list.op('Neg', [sequence]),
    list.integers([TO_END]),
    list.integers([1]),
  ]);
  const every = Int32Array.from({ length: maxPositions }, (_, i) => i);
  const angles = (rope: Rope, suffix: string) => {
    const { cos, sin } = rotaryRows(rotaryTables(every, rope, headDim, 'float32'), 0, maxPositions);
    const gather = (name: string, table: Tensor) => list.op('Gather', [list.weight(name + suffix, table), positions]);
    // One row of angles for all heads of a token.
    const perToken = ({ data, dtype }: Tensor): Tensor => ({ dtype, data, shape: [maxPositions, 1, headDim / 2] });
    return { cos: gather('cos', perToken(cos)), sin: gather('sin', perToken(sin)) };
  };

  const [rows, keys] = [sequence, total].map((size) => list.op('Squeeze', [size])) as [string, string];
  const keyIndex = list.op('Range', [list.integers(0), keys, list.integers(1)]);
  const rowRange = list.op('Range', [list.op('Sub', [keys, rows]), keys, list.integers(1)]);
  const rowIndex = list.op('Unsqueeze', [rowRange, list.integers([1])]);
  const causal = list.op('LessOrEqual', [keyIndex, rowIndex]);
  const real = list.op('Unsqueeze', [list.op('Cast', [mask], { to: BOOL }), list.integers([1, 2, 3])]);
  const bias = (visible: string) =>
    list.op('Where', [list.op('And', [real, visible]), list.float(0), list.float(MASKED)]);
  // Between two real tokens no padding lies, so indices differ as positions do.
  const within = (window: number) =>
    list.op('And', [causal, list.op('Greater', [list.op('Add', [keyIndex, list.integers(window)]), rowIndex])]);

  const shapes = {
    apart: list.op('Concat', [list.integers([0, kvHeads, heads / kvHeads]), sequence, total], { axis: 0 }),
    tall: list.op('Concat', [list.integers([0, kvHeads, -1]), total], { axis: 0 }),
  };
  const known = new Map<number | undefined, AttentionContext>();
  return Array.from({ length: config.layers }, (_, layer) => {
    const { rope, window } = layerAttention(config, layer);
    const context = known.get(window) ?? {
      ...angles(rope, window === undefined ? '' : '.sliding'),
      bias: bias(window === undefined ? causal : within(window)),
      ...shapes,
    };
    known.set(window, context);
    return context;
  });
}

/**
 * softmax(scale q k^T + bias) v with queries and keys rotated.
 *
 * @param qkv `[batch, sequence, (heads + 2 kvHeads) headDim]`
 * @param past keys and values `[batch, kvHeads, past, headDim]`
 * @param present names of the cache with this pass's keys and values appended
 * @param normHeads norms query and key heads `[batch, sequence, heads + kvHeads, headDim]`, where the family does
 * @returns `[batch, sequence, heads * headDim]`
 */
export function decoderAttention(
  list: NodeList,
  config: ModelConfig,
  qkv: string,
  past: readonly [key: string, value: string],
  present: readonly [key: string, value: string],
  context: AttentionContext,
  normHeads: (qk: string) => string,
): string {
  const { heads, kvHeads, headDim, scoreScale } = config;
  const group = heads / kvHeads;
  const reshape = (x: string, ...shape: number[]) => list.op('Reshape', [x, list.integers(shape)]);
  const sizes = list.integers([(heads + kvHeads) * headDim, kvHeads * headDim]);
  const [qk, v] = list.ops('Split', [qkv, sizes], { axis: 2 }, 2) as [string, string];
  const turned = rotary(list, normHeads(reshape(qk, 0, 0, heads + kvHeads, headDim)), headDim, context);
  const [q, k] = list.ops('Split', [turned, list.integers([heads, kvHeads])], { axis: 2 }, 2) as [string, string];

  const append = (cached: string, fresh: string, name: string) =>
    list.op('Concat', [cached, list.op('Transpose', [fresh], { perm: [0, 2, 1, 3] })], { axis: 2 }, name);
  const allKeys = append(past[0], k, present[0]);
  const allValues = append(past[1], reshape(v, 0, 0, kvHeads, headDim), present[1]);

  // Query heads that share a key head become one taller matrix.
  const byGroup = list.op('Transpose', [reshape(q, 0, 0, kvHeads, group, headDim)], { perm: [0, 2, 3, 1, 4] });
  const queries = reshape(byGroup, 0, kvHeads, -1, headDim);
  const scaled = { transA: 0, transB: 1, alpha: { float: scoreScale } };
  const scores = list.op('FusedMatMul', [queries, allKeys], scaled);
  const masked = list.op('Add', [list.op('Reshape', [scores, context.apart]), context.bias]);
  const p = list.op('Reshape', [list.op('Softmax', [masked], { axis: -1 }), context.tall]);
  const mixed = reshape(list.op('MatMul', [p, allValues]), 0, kvHeads, group, -1, headDim);
  return reshape(list.op('Transpose', [mixed], { perm: [0, 3, 1, 2, 4] }), 0, 0, heads * headDim);
}

/** (a, b) -> (a cos - b sin, b cos + a sin) of the halves of the last axis, as in src/graph/ops/rotary.ts. */
function rotary(list: NodeList, x: string, headDim: number, { cos, sin }: AttentionContext): string {
  const halves = list.integers([headDim / 2, headDim / 2]);
  const [a, b] = list.ops('Split', [x, halves], { axis: 3 }, 2) as [string, string];
  const times = (left: string, right: string) => list.op('Mul', [left, right]);
  const first = list.op('Sub', [times(a, cos), times(b, sin)]);
  const second = list.op('Add', [times(b, cos), times(a, sin)]);
  return list.op('Concat', [first, second], { axis: 3 });
}
