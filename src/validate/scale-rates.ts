/** The paper's Table 2: how many outputs stand at either end of the scale, with intervals over documents. */

import type { Interval } from '../statistics/wilson.ts';
import type { ScoredItem } from './scored-item.ts';

/** A share of Total; outputs without a score are in none of them. */
export interface ScaleRate {
  rate: number;
  ci: Interval;
}

/** Names as in table1.json. */
export interface ScaleRates {
  at_most_2: ScaleRate;
  at_least_4: ScaleRate;
  exactly_5: ScaleRate;
}

const COUNTED: Readonly<Record<keyof ScaleRates, (score: number) => boolean>> = {
  at_most_2: (score) => score <= 2,
  at_least_4: (score) => score >= 4,
  exactly_5: (score) => score === 5,
};

/** @param rateOf the share of an arm's outputs that pass, with its interval */
export function scaleRates(
  rateOf: (passes: (item: ScoredItem) => boolean) => { rate: number; interval: Interval },
): ScaleRates {
  const entries = Object.entries(COUNTED).map(([name, counts]) => {
    const { rate, interval } = rateOf(({ score }) => score !== null && counts(score));
    return [name, { rate, ci: interval }];
  });
  return Object.fromEntries(entries) as ScaleRates;
}
