/** Accuracy against coverage: what is right of the answers given, where those below a confidence are left to someone else. */

import { clusteredRate, type Interval } from './wilson.ts';

export interface ConfidentAnswer {
  docId: string;
  /** 0..1; 0 for an answer that cannot be read. */
  confidence: number;
  right: boolean;
}

/** Names as in table1.json. */
export interface AbstentionPoint {
  /** Answers at least as confident as this are given. */
  threshold: number;
  /** Share of all answers that is given (coverage). */
  answered: number;
  /** Right ones among those given. */
  accuracy: number;
  /** 95% over documents. */
  accuracy_ci: Interval;
}

/** Thresholds that every curve has, so that curves can be compared: all answers, and the usual levels. */
export const ROUND_THRESHOLDS: readonly number[] = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/** Further thresholds, drawn evenly from the confidences that occur; finer steps cannot be told apart. */
const MOST_FURTHER = 100;

/**
 * The curve, by rising threshold: at every confidence that occurs (evenly thinned beyond 100 of them) and at ROUND_THRESHOLDS,
 * up to the highest that still answers something. Selective classification as in El-Yaniv and Wiener 2010.
 */
export function abstentionCurve(answers: readonly ConfidentAnswer[]): AbstentionPoint[] {
  const occurring = [...new Set(answers.map(({ confidence }) => confidence))].sort((a, b) => a - b);
  const thresholds = [...new Set([...ROUND_THRESHOLDS, ...thinned(occurring)])].sort((a, b) => a - b);
  return thresholds.flatMap((threshold): AbstentionPoint[] => {
    const given = answers.filter(({ confidence }) => confidence >= threshold);
    if (given.length === 0) return [];
    const clusters = new Map<string, { successes: number; total: number }>();
    for (const { docId, right } of given) {
      const cluster = clusters.get(docId) ?? { successes: 0, total: 0 };
      clusters.set(docId, cluster);
      cluster.total++;
      if (right) cluster.successes++;
    }
    const { rate, interval } = clusteredRate([...clusters.values()]);
    return [{ threshold, answered: given.length / answers.length, accuracy: rate, accuracy_ci: interval }];
  });
}

/** At most MOST_FURTHER of the values, the first and the last among them. */
function thinned(values: readonly number[]): number[] {
  if (values.length <= MOST_FURTHER) return [...values];
  const step = (values.length - 1) / (MOST_FURTHER - 1);
  return Array.from({ length: MOST_FURTHER }, (_, i) => values[Math.round(i * step)]!);
}
