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

/** Where sequences part: all in its subtree begin alike for `depth` tokens. */
interface TrieNode {
  readonly depth: number;
  readonly children: readonly TrieNode[];
  /** Sequences that part from all others here. */
  readonly members: readonly number[];
}

/** Groups inside a subtree, and its sequences that are left to a group further up. */
interface Grouping {
  readonly saving: number;
  readonly groups: readonly Group[];
  readonly left: readonly number[];
}

/**
 * Partition into groups with the largest saving, sum of (members - 1) * prefix. A group's prefix is a node of the trie of
 * all sequences, and a sequence is best in the deepest group above it, so this is a choice of nodes: each brings its depth
 * to the sequences in it that no deeper group has, and costs its depth once. Every branch keeps at least one token of its own.
 */
export function groupByPrefix(sequences: readonly TokenSequence[]): Group[] {
  if (sequences.length === 0) return [];
  const known = new Map<TrieNode, Map<number, Grouping>>();
  // What the nodes under `node` do best when the next group above has a prefix of `above` tokens (0: there is none).
  const grouped = (node: TrieNode, above: number): Grouping => {
    const byAbove = known.get(node) ?? new Map<number, Grouping>();
    known.set(node, byAbove);
    const found = byAbove.get(above);
    if (found) return found;
    const under = (prefix: number): Grouping => {
      const parts = node.children.map((child) => grouped(child, prefix));
      return {
        saving: parts.reduce((sum, part) => sum + part.saving, node.members.length * prefix),
        groups: parts.flatMap((part) => part.groups),
        left: [...node.members, ...parts.flatMap((part) => part.left)],
      };
    };
    let best = under(above);
    if (node.depth >= SHORTEST_PREFIX) {
      const { saving, groups, left } = under(node.depth);
      if (saving - node.depth > best.saving) {
        const group = { members: [...left].sort((a, b) => a - b), prefix: node.depth };
        best = { saving: saving - node.depth, groups: [...groups, group], left: [] };
      }
    }
    byAbove.set(above, best);
    return best;
  };
  const { groups, left } = grouped(prefixTrie(sequences), 0);
  const single = left.map((member) => ({ members: [member], prefix: 0 }));
  return [...groups, ...single].sort((a, b) => a.members[0]! - b.members[0]!);
}

/** The trie of the sequences without their last tokens; nodes are where at least two part. */
function prefixTrie(sequences: readonly TokenSequence[]): TrieNode {
  const branch = (member: number) => sequences[member]!.tokens;
  const order = sequences.map((_, i) => i).sort((a, b) => compare(branch(a), branch(b)) || a - b);
  const adjacent = order.map((member, i) => (i === 0 ? 0 : commonPrefix(branch(order[i - 1]!), branch(member))));
  const nodeOf = (from: number, to: number): TrieNode => {
    let depth = Number.POSITIVE_INFINITY;
    for (let i = from + 1; i < to; i++) depth = Math.min(depth, adjacent[i]!);
    const children: TrieNode[] = [];
    const members: number[] = [];
    for (let start = from; start < to; ) {
      let end = start + 1;
      while (end < to && adjacent[end]! > depth) end++;
      if (end - start === 1) members.push(order[start]!);
      else children.push(nodeOf(start, end));
      start = end;
    }
    return { depth: Number.isFinite(depth) ? depth : 0, children, members };
  };
  return nodeOf(0, order.length);
}

/** Tokens two sequences begin with alike, without the last token of either. */
function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const limit = Math.min(a.length, b.length) - 1;
  let i = 0;
  while (i < limit && a[i] === b[i]) i++;
  return i;
}

/** Lexicographic order of two sequences without their last tokens. */
function compare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const i = commonPrefix(a, b);
  const next = (tokens: ArrayLike<number>) => (i < tokens.length - 1 ? tokens[i]! : -1);
  return next(a) - next(b);
}
