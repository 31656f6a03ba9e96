/** How far scores of kept texts shrink when the texts are judged again: what is kept for its score was also lucky. */

import { groupBy } from '../curate/group-by.ts';
import { randomStream } from '../foundation/random.ts';
import { pairedDifference } from '../statistics/paired-difference.ts';
import type { Interval } from '../statistics/wilson.ts';
import { PASSING_SCORE } from '../validate/scored-item.ts';

/** A kept text with both scores; `again` is null where no score came. */
export interface JudgedAgain {
  docId: string;
  first: number;
  again: number | null;
}

/** Names as in rounds.json. */
export interface Rejudged {
  /** Who judged again. */
  by: string;
  /** Texts with both scores, and their documents. */
  texts: number;
  documents: number;
  /** Texts without a second score; they are in none of the figures below. */
  unscored: number;
  mean: number;
  mean_again: number;
  /** Shares of the texts with 3 or better. */
  rate: number;
  rate_again: number;
  /** `rate_again - rate`, over documents. */
  rate_ci: Interval;
  /** Share of the texts that would not be kept by their second score. */
  lost: number;
}

/** Undefined where no text has both scores. */
export function shrinkage(
  by: string,
  judged: readonly JudgedAgain[],
  { minScore, seed, resamples }: { minScore: number; seed: number; resamples: number },
): Rejudged | undefined {
  const both = judged.flatMap(({ docId, first, again }) => (again === null ? [] : [{ docId, first, again }]));
  if (both.length === 0) return undefined;
  const share = (test: (one: (typeof both)[number]) => boolean) => both.filter(test).length / both.length;
  const passes = (score: number) => score >= PASSING_SCORE;
  const clusters = [...groupBy(both, ({ docId }) => docId).values()].map((group) => ({
    difference: group.reduce((sum, { first, again }) => sum + Number(passes(again)) - Number(passes(first)), 0),
    total: group.length,
  }));
  return {
    by,
    texts: both.length,
    documents: clusters.length,
    unscored: judged.length - both.length,
    mean: mean(both.map(({ first }) => first)),
    mean_again: mean(both.map(({ again }) => again)),
    rate: share(({ first }) => passes(first)),
    rate_again: share(({ again }) => passes(again)),
    rate_ci: pairedDifference(clusters, { random: randomStream(seed, 'shrinkage', by), resamples }).interval,
    lost: share(({ again }) => again < minScore),
  };
}

/** `20 kept texts judged again by x: mean 5.00 -> 4.60, Rate(>=3) 100.0% -> 95.0%; 2 would not be kept` */
export function shrinkageSentence(found: Rejudged): string {
  const { by, texts, unscored, mean: first, mean_again: again, rate, rate_again: rateAgain, lost } = found;
  const percent = (value: number) => `${(100 * value).toFixed(1)}%`;
  const missing = unscored > 0 ? `, ${unscored} without a score` : '';
  return (
    `${texts} kept texts judged again by ${by}${missing}: mean ${first.toFixed(2)} -> ${again.toFixed(2)}, ` +
    `Rate(>=3) ${percent(rate)} -> ${percent(rateAgain)}; ${Math.round(lost * texts)} would not be kept`
  );
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
