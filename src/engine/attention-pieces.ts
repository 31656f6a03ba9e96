/** What attention is divided into: pieces of segments, each with the keys it may see. */

import type { AttentionShape } from '../model/decoder-layer.ts';
import type { Packed, Segment } from './pack.ts';

/** Rows of the packing that lie side by side. */
export interface RowRange {
  readonly start: number;
  readonly rows: number;
}

/** Query rows and, in the order of their positions, the rows whose keys they see; the last keys are the rows' own. */
export interface AttentionPiece extends RowRange {
  readonly keys: readonly RowRange[];
}

/**
 * Query rows of a piece at most: long segments become tasks that can run side by side, and what a task's backward holds at
 * once (probabilities of its rows over all keys, twice) stays small.
 */
const PIECE_ROWS = 512;
/** Query rows a block. */
export const ATTENTION_BLOCK = 64;

/**
 * The pieces of all segments, in their order. A segment's rows see its prefix and those before them.
 *
 * @param window tokens a row sees, its own included; undefined: all
 */
export function attentionPieces({ segments }: Pick<Packed, 'segments'>, window: number | undefined): AttentionPiece[] {
  return segments.flatMap((segment) => {
    const count = Math.ceil(segment.rows / PIECE_ROWS);
    const size = Math.ceil(segment.rows / count / ATTENTION_BLOCK) * ATTENTION_BLOCK;
    return Array.from({ length: Math.ceil(segment.rows / size) }, (_, i) => {
      const rows = Math.min(size, segment.rows - i * size);
      const all = keysTo(segment, i * size + rows);
      const visible = window === undefined ? Number.POSITIVE_INFINITY : rows + window - 1;
      return { start: segment.start + i * size, rows, keys: lastRows(all, visible) };
    });
  });
}

/** A piece in one key head: what one task computes. */
export interface HeadPiece {
  readonly piece: AttentionPiece;
  readonly head: number;
}

/** The pieces of all segments in all key heads. @param window as in attentionPieces */
export function headPieces(packed: Pick<Packed, 'segments'>, window: number | undefined, kvHeads: number): HeadPiece[] {
  return attentionPieces(packed, window).flatMap((piece) =>
    Array.from({ length: kvHeads }, (_, head) => ({ piece, head })),
  );
}

/** A prefix and the first `own` rows of a segment, as one range where they lie side by side. */
function keysTo({ start, prefixStart, prefixRows }: Segment, own: number): RowRange[] {
  if (prefixRows === 0) return [{ start, rows: own }];
  const prefix = { start: prefixStart, rows: prefixRows };
  if (prefixStart + prefixRows === start) return [{ start: prefixStart, rows: prefixRows + own }];
  return [prefix, { start, rows: own }];
}

/** The last `most` rows of the ranges. */
function lastRows(ranges: readonly RowRange[], most: number): RowRange[] {
  let hidden = Math.max(0, ranges.reduce((sum, { rows }) => sum + rows, 0) - most);
  return ranges.flatMap(({ start, rows }) => {
    const cut = Math.min(hidden, rows);
    hidden -= cut;
    return cut === rows ? [] : [{ start: start + cut, rows: rows - cut }];
  });
}

export const meets = (a: RowRange, b: RowRange): boolean => a.start < b.start + b.rows && b.start < a.start + a.rows;

/**
 * The attention of `rows` query rows over `prefix` keys and their own in a layer with that window, and the key of its
 * graphs; a window that hides nothing is none.
 */
export function attentionShape(
  rows: number,
  prefix: number,
  window: number | undefined,
): { readonly shape: AttentionShape; readonly key: string } {
  const narrow = window !== undefined && window < prefix + rows ? window : undefined;
  return {
    shape: { rows, prefix, block: ATTENTION_BLOCK, window: narrow },
    key: `${rows} ${prefix}${narrow === undefined ? '' : ` ${narrow}`}`,
  };
}

/** Of a piece. */
export function pieceShape({ rows, keys }: AttentionPiece, window: number | undefined) {
  return attentionShape(rows, keys.reduce((sum, range) => sum + range.rows, 0) - rows, window);
}
