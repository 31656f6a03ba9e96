/** Which outputs a person is shown: a seeded sample, stratified by arm and by the judge's score, in an order that may be broken off. */

import { sha256 } from '../foundation/hash.ts';
import type { ReviewOutput } from './review-outputs.ts';

/**
 * About `size` outputs, the same number of each arm. Within an arm the judge's scores (and `no score`) share alike, so that what the judge
 * passes and what it refuses are both seen however rare one of them is; a score with fewer outputs gives all it has, and leaves its share to the others.
 *
 * Each input has one random number, of the seed and itself alone (permanent random numbers; Ohlsson 1995). The outputs of a stratum with the smallest
 * numbers are drawn: a simple random sample of each stratum, in which arms share inputs as far as can be, and a larger `size` contains a smaller one. In the order
 * of these numbers, too, the outputs come: whenever a person stops, those rated of a stratum are a simple random sample of it.
 */
export function reviewSample<T extends Pick<ReviewOutput, 'arm' | 'item' | 'judged'>>(
  outputs: readonly T[],
  { size, seed }: { size: number; seed: number },
): T[] {
  const number = new Map(outputs.map(({ item }) => [item, sha256(`review\u0000${seed}\u0000${item}`)]));
  const byNumber = [...outputs].sort(
    (a, b) => compare(number.get(a.item)!, number.get(b.item)!) || compare(a.arm, b.arm),
  );
  const arms = group(byNumber, ({ arm }) => arm);
  const perArm = Math.max(1, Math.ceil(size / Math.max(1, arms.size)));
  const drawn = new Set<T>();
  for (const ofArm of arms.values()) {
    const strata = [...group(ofArm, ({ judged }) => judged).values()].sort((a, b) => a.length - b.length);
    let left = perArm;
    for (const [i, stratum] of strata.entries()) {
      const share = Math.min(stratum.length, Math.ceil(left / (strata.length - i)));
      for (const output of stratum.slice(0, share)) drawn.add(output);
      left -= share;
    }
  }
  return byNumber.filter((output) => drawn.has(output));
}

function group<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const members = groups.get(keyOf(item)) ?? [];
    groups.set(keyOf(item), members);
    members.push(item);
  }
  return groups;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
