/** Pieces of attention: every row once, with the keys that it may see and no others. */

import { describe, expect, it } from 'vitest';
import { drawTree } from '../../test/tiny-models.ts';
import { attentionPieces, pieceShape } from './attention-pieces.ts';
import { packSequences } from './pack.ts';

const packed = packSequences([...drawTree(700, [1300, 40, 900], 5), ...drawTree(0, [30], 6)]);

describe('attentionPieces', () => {
  it.each([undefined, 1, 100, 513, 5000])('has every row once, with the keys in a window of %s', (window) => {
    const rows = new Map<number, number[]>();
    for (const { start, rows: count, keys } of attentionPieces(packed, window)) {
      const all = keys.flatMap((range) => Array.from({ length: range.rows }, (_, i) => range.start + i));
      for (let i = 0; i < count; i++) {
        expect(rows.has(start + i)).toBe(false);
        // The graph's rule: row i of the piece sees up to its own key, which is one of the last.
        const seen = all.slice(0, all.length - count + i + 1);
        rows.set(start + i, seen.slice(window === undefined ? 0 : -window));
      }
    }
    for (const { start, rows: count, prefixStart, prefixRows } of packed.segments) {
      for (let i = 0; i < count; i++) {
        const prefix = Array.from({ length: prefixRows }, (_, j) => prefixStart + j);
        const before = [...prefix, ...Array.from({ length: i + 1 }, (_, j) => start + j)];
        expect(rows.get(start + i)).toEqual(before.slice(window === undefined ? 0 : -window));
      }
    }
    expect(rows.size).toBe(packed.segments.reduce((sum, segment) => sum + segment.rows, 0));
  });

  it('makes no piece longer than 512 rows and brings no key that none of its rows sees', () => {
    const window = 100;
    for (const piece of attentionPieces(packed, window)) {
      expect(piece.rows).toBeLessThanOrEqual(512);
      expect(pieceShape(piece, window).shape.prefix).toBeLessThan(window);
    }
  });
});
