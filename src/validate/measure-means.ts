/** Measures of single outputs -> an arm's means, with intervals over documents. */

import { randomStream } from '../foundation/random.ts';
import { clusterBootstrap } from '../statistics/cluster-bootstrap.ts';
import type { Interval } from '../statistics/wilson.ts';
import type { ScoredItem } from './scored-item.ts';

export interface MeasureMean {
  mean: number;
  ci: Interval;
  /** Outputs the measure is defined for. */
  outputs: number;
}

/** The mean of every measure that some output has; BCa over documents. */
export function measureMeans(
  items: readonly Pick<ScoredItem, 'doc_id' | 'measures'>[],
  { seed, resamples }: { seed: number; resamples: number },
): Record<string, MeasureMean> {
  const names = [...new Set(items.flatMap((item) => Object.keys(item.measures ?? {})))];
  return Object.fromEntries(
    names.map((name) => {
      const documents = new Map<string, [sum: number, count: number]>();
      let outputs = 0;
      for (const { doc_id, measures } of items) {
        const value = measures?.[name];
        if (value === undefined) continue;
        const sums = documents.get(doc_id) ?? [0, 0];
        documents.set(doc_id, sums);
        sums[0] += value;
        sums[1] += 1;
        outputs += 1;
      }
      const options = { random: randomStream(seed, 'measure', name), resamples };
      const { estimate, interval } = clusterBootstrap([...documents.values()], (sum) => sum[0]! / sum[1]!, options);
      return [name, { mean: estimate, ci: interval, outputs }];
    }),
  );
}
