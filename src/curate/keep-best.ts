/** The best candidates by judge score, as many as the recipe keeps: `curate.keep`. */

import { randomStream } from '../foundation/random.ts';
import type { Recipe } from '../recipe/schema.ts';
import { keywordCoverage } from './measures/keyword-coverage.ts';
import type { Candidate } from './samples.ts';

/** How many are kept: a number (top-k), or a share of those there are (ratio). */
export type Keep = NonNullable<Recipe['curate']['keep']>;

/** How many of `count` candidates are kept; a ratio is rounded up. */
export function keptCount({ top, ratio }: Keep, count: number): number {
  return Math.min(count, top ?? count, ratio === undefined ? count : Math.ceil(ratio * count));
}

/**
 * The candidates from best to worst: by score, then by the mean behind the score (of several judgements, or of the judge's
 * distribution), then by keyword coverage of the source. What is equal in all of them is drawn by seed.
 */
export function byQuality<C extends Pick<Candidate, 'score' | 'expected' | 'text' | 'source'>>(
  candidates: readonly C[],
  seed: number,
): C[] {
  return randomStream(seed, 'keep')
    .shuffle(candidates)
    .map((candidate) => ({
      candidate,
      rank: [
        candidate.score ?? 0,
        candidate.expected ?? candidate.score ?? 0,
        keywordCoverage(candidate.text, candidate.source),
      ],
    }))
    .sort((a, b) => a.rank.reduce((order, value, i) => order || b.rank[i]! - value, 0))
    .map(({ candidate }) => candidate);
}
