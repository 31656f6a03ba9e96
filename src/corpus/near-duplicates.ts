/**
 * Near-duplicates by MinHash (Broder 1997) with banding: texts that share most of their 5-word runs.
 * Two texts of Jaccard similarity s agree in one position of a signature with probability s, and meet in at least one of
 * b bands of r rows with probability 1 - (1 - s^r)^b: 0.9998 at s = 0.8, 0.06 at s = 0.25 (b = 16, r = 4).
 * Those that meet are compared exactly.
 */

import { randomStream } from '../foundation/random.ts';
import { wordGrams, words } from './words.ts';

const SHINGLE_WORDS = 5;
const BANDS = 16;
const ROWS = 4;

/** Jaccard similarity from which two texts count as one. Two rewrites of one document for two readers stay below 0.1. */
export const DUPLICATE_SIMILARITY = 0.7;

/** Odd multipliers and offsets of the signature's hash functions x -> a x + b mod 2^32. */
const HASHES = (() => {
  const stream = randomStream('near-duplicates');
  return Array.from(
    { length: BANDS * ROWS },
    () => [stream.integer(2 ** 31) * 2 + 1, stream.integer(2 ** 32)] as const,
  );
})();

/**
 * For each text that is nearly equal to an earlier one that is itself kept: the earlier one's id and their similarity.
 * The result depends on the order alone.
 */
export function nearDuplicates(
  texts: Iterable<{ id: string; text: string }>,
  similarity = DUPLICATE_SIMILARITY,
): Map<string, { of: string; similarity: number }> {
  const found = new Map<string, { of: string; similarity: number }>();
  const buckets = new Map<string, { id: string; shingles: Set<number> }[]>();
  for (const { id, text } of texts) {
    const shingles = shingleHashes(text);
    const keys = bandKeys(shingles);
    const met = new Map(keys.flatMap((key) => buckets.get(key) ?? []).map((other) => [other.id, other.shingles]));
    let best: { of: string; similarity: number } | undefined;
    for (const [of, other] of met) {
      const score = jaccard(shingles, other);
      if (score >= similarity && score > (best?.similarity ?? 0)) best = { of, similarity: score };
    }
    if (best) {
      found.set(id, best);
      continue;
    }
    for (const key of keys) {
      const bucket = buckets.get(key);
      if (bucket) bucket.push({ id, shingles });
      else buckets.set(key, [{ id, shingles }]);
    }
  }
  return found;
}

/** 32-bit hashes of the distinct 5-word runs; a shorter text is one run. */
function shingleHashes(text: string): Set<number> {
  const list = words(text);
  const grams = list.length < SHINGLE_WORDS ? [list.join(' ')] : wordGrams(list, SHINGLE_WORDS);
  return new Set(grams.map(fnv1a));
}

function bandKeys(shingles: ReadonlySet<number>): string[] {
  const signature = HASHES.map(([a, b]) => {
    let least = 2 ** 32;
    for (const shingle of shingles) least = Math.min(least, (Math.imul(a, shingle) + b) >>> 0);
    return least;
  });
  return Array.from(
    { length: BANDS },
    (_, band) => `${band}:${signature.slice(band * ROWS, (band + 1) * ROWS).join()}`,
  );
}

/** FNV-1a over UTF-16 code units, with a final mixing step so that all bits depend on all units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let shared = 0;
  for (const item of a) if (b.has(item)) shared++;
  return shared / (a.size + b.size - shared);
}
