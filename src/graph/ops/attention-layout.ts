/** How attention divides its matrices. */

import type { GraphBuilder, Value } from '../graph.ts';

export interface Layout {
  heads: number;
  kvHeads: number;
  /** Query rows a block. */
  block: number;
  /** Scores are scaled by this. */
  scale: number;
  /** Keys a row sees, its own included; absent: all before it. */
  window?: number;
}

/** The columns of each key head's queries, [rows, heads * d] -> kvHeads times [rows * group, d]: rows of a row side by side. */
export function toHeads(g: GraphBuilder, x: Value, kvHeads: number, d: number): Value[] {
  const [rows, width] = x.shape as [number, number];
  const parts = kvHeads === 1 ? [x] : g.apply('Split', [x], { axis: 1, sizes: Array(kvHeads).fill(width / kvHeads) });
  return parts.map((part) => matrix(g, part, (rows * width) / kvHeads / d, d));
}

/** The inverse of toHeads. */
export function fromHeads(g: GraphBuilder, rows: number, parts: readonly Value[]): Value {
  const byRow = parts.map((part) => matrix(g, part, rows, (part.shape[0]! / rows) * part.shape[1]!));
  return concat(g, 1, byRow);
}

function matrix(g: GraphBuilder, x: Value, rows: number, columns: number): Value {
  return x.shape.join() === `${rows},${columns}` ? x : g.op('Reshape', [x], { shape: [rows, columns] });
}

export function rowsOf(g: GraphBuilder, x: Value, start: number, end: number, axis = 0): Value {
  return start === 0 && end === x.shape[axis] ? x : g.op('Slice', [x], { axis, start, end });
}

export function repeatRows(g: GraphBuilder, x: Value, times: number): Value {
  if (times === 1) return x;
  const [rows, columns] = x.shape as [number, number];
  const apart = g.op('Reshape', [x], { shape: [rows, 1, columns] });
  return matrix(g, g.op('Expand', [apart], { shape: [rows, times, columns] }), rows * times, columns);
}

export const transposed = (g: GraphBuilder, x: Value) => g.op('Transpose', [x], { perm: [1, 0] });

export const concat = (g: GraphBuilder, axis: number, parts: readonly Value[]) =>
  parts.length === 1 ? parts[0]! : g.op('Concat', parts, { axis });
