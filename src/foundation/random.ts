/** Seeded randomness: every random choice of a run comes from a named stream, so that a run repeats exactly. */

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { sha256 } from './hash.ts';

export interface RandomStream {
  /** Uniform in [0, 1) with 32 random bits. */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/** The stream named by `keys`, for example `randomStream(seed, 'epoch', 3)`. Equal keys give equal streams; different keys independent ones. */
export function randomStream(...keys: (string | number)[]): RandomStream {
  const generator = xoroshiro128plus(Number.parseInt(sha256(keys.join('\u0000')).slice(0, 8), 16));
  const uniform = () => (generator.next() >>> 0) / 2 ** 32;
  const integer = (bound: number) => Math.floor(uniform() * bound);
  return {
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle<T>(items: readonly T[]): T[] {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
  };
}
