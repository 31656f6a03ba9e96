import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawTokens, drawTree } from '../../test/tiny-models.ts';
import { groupByPrefix, type Packed, packSequences, ROW_MULTIPLE, type TokenSequence } from './pack.ts';

const SHORTEST_PREFIX = 32;
const SEGMENT_MULTIPLE = 8;

/** Sequences that often begin alike, sometimes are equal or begin one another: cuts of a few stems, then a rest. */
const sequences = fc
  .record({
    stems: fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 30, maxLength: 90 }), {
      minLength: 1,
      maxLength: 3,
    }),
    cuts: fc.array(
      fc.record({
        stem: fc.nat(),
        share: fc.constantFrom(1, 1, 0.9, 0.6, 0.4, 0.1),
        rest: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 12 }),
        labels: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ stems, cuts }) =>
    cuts.map(({ stem, share, rest, labels }): TokenSequence => {
      const whole = stems[stem % stems.length]!;
      const tokens = [...whole.slice(0, Math.ceil(whole.length * share)), ...rest];
      return { tokens, labelsFrom: Math.round(tokens.length * labels) };
    }),
  );

/** The rows of each token of a sequence: its prefix's, then its own up to its last row. */
function rowsOfSequence({ segments, lastRows }: Packed, sequence: number): number[] {
  const last = lastRows[sequence]!;
  const segment = segments.find(({ start, rows }) => start <= last && last < start + rows)!;
  const run = (start: number, length: number) => Array.from({ length }, (_, i) => start + i);
  return [...run(segment.prefixStart, segment.prefixRows), ...run(segment.start, last - segment.start + 1)];
}

const shared = (lists: readonly ArrayLike<number>[]) => {
  let length = 0;
  while (lists.every((list) => length < list.length - 1 && list[length] === lists[0]![length])) length++;
  return length;
};

describe('packSequences()', () => {
  it('holds every sequence: its tokens, positions and last row', () => {
    fc.assert(
      fc.property(sequences, fc.boolean(), (batch, share) => {
        const packed = packSequences(batch, share);
        for (const [i, { tokens }] of batch.entries()) {
          const rows = rowsOfSequence(packed, i);
          expect(rows.map((row) => packed.tokens[row])).toEqual(tokens);
          expect(rows.map((row) => packed.positions[row])).toEqual(tokens.map((_, position) => position));
          expect(rows.every((row) => packed.real[row] === 1)).toBe(true);
        }
      }),
    );
  });

  it('scores every label once, from the row of the token before it', () => {
    fc.assert(
      fc.property(sequences, fc.boolean(), (batch, share) => {
        const packed = packSequences(batch, share);
        for (const [i, { tokens, labelsFrom }] of batch.entries()) {
          const rows = rowsOfSequence(packed, i);
          const first = Math.max(1, labelsFrom);
          const expected = Array.from(tokens.slice(first), (label, k) => ({
            row: rows[first + k - 1],
            label,
            sequence: i,
          }));
          expect(packed.targets.filter(({ sequence }) => sequence === i)).toEqual(expected);
        }
        expect(packed.targets.every(({ sequence }) => sequence < batch.length)).toBe(true);
      }),
    );
  });

  it('lays segments side by side, and pads each by less than 8 rows and the whole by less than 32', () => {
    fc.assert(
      fc.property(sequences, fc.boolean(), (batch, share) => {
        const packed = packSequences(batch, share);
        let end = 0;
        for (const { start, rows, prefixStart, prefixRows } of packed.segments) {
          expect(start).toBe(end);
          expect(rows % SEGMENT_MULTIPLE).toBe(0);
          const real = packed.real.subarray(start, start + rows).reduce((a, b) => a + b, 0);
          expect(rows - real).toBeLessThan(SEGMENT_MULTIPLE);
          // A segment's padding is behind its tokens, and no prefix reaches into padding.
          expect(packed.real.subarray(start, start + real).every((flag) => flag === 1)).toBe(true);
          expect(packed.real.subarray(prefixStart, prefixStart + prefixRows).every((flag) => flag === 1)).toBe(true);
          end = start + rows;
        }
        expect(packed.rows % ROW_MULTIPLE).toBe(0);
        expect(packed.rows - end).toBeLessThan(ROW_MULTIPLE);
        for (const list of [packed.tokens, packed.positions, packed.real]) expect(list.length).toBe(packed.rows);
      }),
    );
  });

  it('encodes the tokens of a tree once', () => {
    const tree = drawTree(100, [10, 20, 30], 4);
    const realRows = (share: boolean) => packSequences(tree, share).real.reduce((a, b) => a + b, 0);
    expect(realRows(true)).toBe(100 + 10 + 20 + 30);
    expect(realRows(false)).toBe(3 * 100 + 10 + 20 + 30);
  });

  it('scores labels that lie in a shared prefix once for each sequence', () => {
    const [a, b] = drawTree(40, [5, 5], 5).map(({ tokens }) => ({ tokens, labelsFrom: 38 })) as [
      TokenSequence,
      TokenSequence,
    ];
    const { targets } = packSequences([a, b]);
    expect(targets.length).toBe(2 * 7);
    expect(targets[0]!.row).toBe(targets[7]!.row);
  });

  it('packs nothing into no rows', () => {
    expect(packSequences([])).toMatchObject({ rows: 0, segments: [], targets: [], lastRows: [] });
  });
});

describe('groupByPrefix()', () => {
  it('partitions the sequences; a group shares its prefix, and leaves each member a token', () => {
    fc.assert(
      fc.property(sequences, (batch) => {
        const groups = groupByPrefix(batch);
        expect(groups.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual(batch.map((_, i) => i));
        for (const { members, prefix } of groups) {
          if (members.length === 1) expect(prefix).toBe(0);
          else expect(prefix).toBeGreaterThanOrEqual(SHORTEST_PREFIX);
          expect(prefix).toBeLessThanOrEqual(shared(members.map((i) => batch[i]!.tokens)));
        }
      }),
    );
  });

  it('saves as much as the best of all partitions', () => {
    const saving = (groups: readonly (readonly number[])[], batch: readonly TokenSequence[]) =>
      groups.reduce((sum, members) => {
        if (members.length === 1) return sum;
        const prefix = shared(members.map((i) => batch[i]!.tokens));
        return sum + (prefix >= SHORTEST_PREFIX ? (members.length - 1) * prefix : 0);
      }, 0);
    fc.assert(
      fc.property(sequences, (batch) => {
        const found = groupByPrefix(batch).reduce((sum, { members, prefix }) => sum + (members.length - 1) * prefix, 0);
        expect(found).toBe(Math.max(...partitions(batch.length).map((groups) => saving(groups, batch))));
      }),
      { numRuns: 60 },
    );
  });

  it('leaves a shallow prefix to those that a deeper group does not have, whatever lies between them', () => {
    const start = drawTokens(40, 'start');
    const deep = [...start, 2, ...drawTokens(60, 'deep')];
    const batch = [
      [...start, 1, 1],
      [...deep, 1],
      [...deep, 2],
      [...deep, 3],
      [...start, 3, 1],
    ];
    expect(groupByPrefix(batch.map((tokens) => ({ tokens, labelsFrom: 0 })))).toEqual([
      { members: [0, 4], prefix: 40 },
      { members: [1, 2, 3], prefix: 101 },
    ]);
  });

  it('finds the documents behind a system prompt that all begin with', () => {
    const system = drawTokens(40, 'system');
    const documents = [0, 1].map((i) => drawTokens(200, 'document', i));
    const batch = [0, 1, 0, 1, 0].map((document, i) => ({
      tokens: [...system, ...documents[document]!, i, ...drawTokens(30, 'answer', i)],
      labelsFrom: 240,
    }));
    expect(groupByPrefix(batch)).toEqual([
      { members: [0, 2, 4], prefix: 240 },
      { members: [1, 3], prefix: 240 },
    ]);
  });

  it('leaves sequences apart that share less than a segment of their own costs', () => {
    const prefixes = (length: number) => groupByPrefix(drawTree(length, [9, 9], 1)).map(({ prefix }) => prefix);
    expect(prefixes(SHORTEST_PREFIX - 1)).toEqual([0, 0]);
    expect(prefixes(SHORTEST_PREFIX)).toEqual([SHORTEST_PREFIX]);
  });

  it('leaves equal sequences their last token', () => {
    const tokens = drawTokens(50, 'equal');
    const twice = [tokens, tokens].map((list) => ({ tokens: list, labelsFrom: 0 }));
    expect(groupByPrefix(twice)).toEqual([{ members: [0, 1], prefix: 49 }]);
  });
});

/** All set partitions of 0 .. n - 1. */
function partitions(n: number): number[][][] {
  if (n === 0) return [[]];
  return partitions(n - 1).flatMap((groups) => [
    ...groups.map((_, i) => groups.map((group, j) => (i === j ? [...group, n - 1] : group))),
    [...groups, [n - 1]],
  ]);
}
