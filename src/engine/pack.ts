/**
 * Packs token sequences into trees: sequences that begin alike share those tokens as one prefix segment, the rest are its
 * branches (Prefix Grouper, arXiv 2506.05433). The sharing is found in the tokens, never declared.
 */

export interface TokenSequence {
  readonly tokens: readonly number[] | Int32Array;
  /** Tokens from here on are labels (the completion). */
  readonly labelsFrom: number;
  readonly soft?: SoftLabel;
}

/** A label that is a distribution over several tokens instead of the one that stands there. */
export interface SoftLabel {
  /** Position of the token it takes the place of; one of the labels. */
  readonly at: number;
  readonly tokens: readonly number[];
  /** Of each token; they add up to 1. */
  readonly shares: readonly number[];
}

/** A run of rows that attends causally to itself, and to its prefix without a mask. */
export interface Segment {
  readonly start: number;
  /** Rows including padding at the end, which no row of another segment sees. */
  readonly rows: number;
  readonly prefixStart: number;
  /** Rows of the prefix; 0: none. */
  readonly prefixRows: number;
}

/**
 * A next-token label: the logits of `row` are scored against `label`. Rows may repeat: a prefix's last row has many labels, and a soft label is a target for
 * each of its tokens, since -sum_k p_k log softmax(z)_k is the p-weighted sum of their losses.
 */
export interface Target {
  readonly row: number;
  readonly label: number;
  readonly sequence: number;
  /** Of a soft label: the token's share. Absent: 1. */
  readonly share?: number;
}

export interface Packed {
  /** Rows in all, a multiple of ROW_MULTIPLE. */
  readonly rows: number;
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** 1 for rows of real tokens, 0 for padding. */
  readonly real: Uint8Array;
  readonly segments: readonly Segment[];
  readonly targets: readonly Target[];
  /** Labels in all; a soft one counts once. */
  readonly labels: number;
  /** The row of each sequence's last token, where generation goes on. */
  readonly lastRows: readonly number[];
}

/** Segments start at multiples of this: few shapes of attention graphs, little padding. */
const SEGMENT_MULTIPLE = 8;
/** Row blocks are multiples of this. */
export const ROW_MULTIPLE = 32;
/** A prefix shorter than this saves less than its own segment costs. */
const SHORTEST_PREFIX = 32;

const roundUp = (n: number, multiple: number) => Math.ceil(n / multiple) * multiple;

/** Sequences (by index) that share a prefix of `prefix` tokens. */
interface Group {
  readonly members: readonly number[];
  readonly prefix: number;
}

/**
 * Packs `sequences` into one batch of rows.
 *
 * @param share false packs each sequence apart (for comparison and tests)
 */
export function packSequences(sequences: readonly TokenSequence[], share = true): Packed {
  const groups = share ? groupByPrefix(sequences) : sequences.map((_, i) => ({ members: [i], prefix: 0 }));
  const tokens: number[] = [];
  const positions: number[] = [];
  const real: number[] = [];
  const segments: Segment[] = [];
  const targets: Target[] = [];
  let labels = 0;
  const lastRows = new Array<number>(sequences.length).fill(0);

  const append = (sequence: TokenSequence, from: number, to: number, prefixStart: number, prefixRows: number) => {
    const start = tokens.length;
    const rows = roundUp(to - from, SEGMENT_MULTIPLE);
    for (let i = from; i < from + rows; i++) {
      tokens.push(i < to ? sequence.tokens[i]! : 0);
      positions.push(i);
      real.push(i < to ? 1 : 0);
    }
    segments.push({ start, rows, prefixStart, prefixRows });
    return start;
  };

  for (const { members, prefix } of groups) {
    const prefixStart = prefix > 0 ? append(sequences[members[0]!]!, 0, prefix, 0, 0) : 0;
    for (const member of members) {
      const sequence = sequences[member]!;
      const length = sequence.tokens.length;
      const start = append(sequence, prefix, length, prefixStart, prefix);
      const rowOf = (position: number) => (position < prefix ? prefixStart + position : start + position - prefix);
      for (let position = Math.max(1, sequence.labelsFrom); position < length; position++) {
        const place = { row: rowOf(position - 1), sequence: member };
        if (sequence.soft?.at === position) targets.push(...softTargets(sequence.soft, place));
        else targets.push({ ...place, label: sequence.tokens[position]! });
        labels++;
      }
      lastRows[member] = rowOf(length - 1);
    }
  }
  const rows = roundUp(tokens.length, ROW_MULTIPLE);
  const padded = (values: number[]) => Int32Array.from({ length: rows }, (_, i) => values[i] ?? 0);
  return {
    rows,
    tokens: padded(tokens),
    positions: padded(positions),
    real: Uint8Array.from({ length: rows }, (_, i) => real[i] ?? 0),
    segments,
    targets,
    labels,
    lastRows,
  };
}

/** Tokens without a share are left out: they change neither loss nor gradient. */
function softTargets({ tokens, shares }: SoftLabel, place: Pick<Target, 'row' | 'sequence'>): Target[] {
  return tokens.flatMap((label, i) => (shares[i]! > 0 ? [{ ...place, label, share: shares[i]! }] : []));
}

/**
 * Partition into groups with the largest saving, sum of (members - 1) * prefix. In lexicographic order the best groups are
 * runs, so this is a dynamic program over the sorted list. Every branch keeps at least one token of its own.
 */
export function groupByPrefix(sequences: readonly TokenSequence[]): Group[] {
  const order = sequences.map((_, i) => i).sort((a, b) => compare(sequences[a]!.tokens, sequences[b]!.tokens) || a - b);
  const n = order.length;
  const adjacent = order.map((member, i) =>
    i === 0 ? 0 : commonPrefix(sequences[order[i - 1]!]!.tokens, sequences[member]!.tokens),
  );
  const best = new Array<number>(n + 1).fill(0);
  const from = new Array<number>(n + 1).fill(0);
  const prefixes = new Array<number>(n + 1).fill(0);
  for (let end = 1; end <= n; end++) {
    best[end] = best[end - 1]!;
    from[end] = end - 1;
    let prefix = sequences[order[end - 1]!]!.tokens.length - 1;
    for (let start = end - 1; start > 0; start--) {
      prefix = Math.min(prefix, adjacent[start]!, sequences[order[start - 1]!]!.tokens.length - 1);
      if (prefix < SHORTEST_PREFIX) break;
      const saving = best[start - 1]! + (end - start) * prefix;
      if (saving > best[end]!) {
        best[end] = saving;
        from[end] = start - 1;
        prefixes[end] = prefix;
      }
    }
  }
  const groups: Group[] = [];
  for (let end = n; end > 0; end = from[end]!) {
    const members = order.slice(from[end]!, end).sort((a, b) => a - b);
    groups.push({ members, prefix: members.length > 1 ? prefixes[end]! : 0 });
  }
  return groups.sort((a, b) => a.members[0]! - b.members[0]!);
}

function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const limit = Math.min(a.length, b.length);
  let i = 0;
  while (i < limit && a[i] === b[i]) i++;
  return i;
}

function compare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const i = commonPrefix(a, b);
  return (a[i] ?? -1) - (b[i] ?? -1);
}
