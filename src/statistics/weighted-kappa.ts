/** Agreement of two raters on 1..5 beyond chance, larger disagreements weighing more. */

import { type BootstrapOptions, type BootstrapResult, clusterBootstrap } from './cluster-bootstrap.ts';
import { addTo, LEVELS } from './confusion.ts';

/**
 * Quadratic-weighted kappa of a confusion matrix of shares or counts o, row by row (Cohen 1968):
 *
 *   kappa = 1 - sum (i - j)^2 o_ij / sum (i - j)^2 o_i. o_.j / n
 *
 * NaN where both raters used one and the same level: nothing could have disagreed.
 */
export function weightedKappa(confusion: ArrayLike<number>): number {
  const rows = new Array<number>(LEVELS).fill(0);
  const columns = new Array<number>(LEVELS).fill(0);
  let total = 0;
  let seen = 0;
  for (let i = 0; i < LEVELS; i++) {
    for (let j = 0; j < LEVELS; j++) {
      const count = confusion[i * LEVELS + j]!;
      rows[i]! += count;
      columns[j]! += count;
      total += count;
      seen += (i - j) ** 2 * count;
    }
  }
  let expected = 0;
  for (let i = 0; i < LEVELS; i++)
    for (let j = 0; j < LEVELS; j++) expected += ((i - j) ** 2 * rows[i]! * columns[j]!) / total;
  return expected > 0 ? 1 - seen / expected : Number.NaN;
}

/** Two ratings (1..5) of one text of a document. */
export interface RatedPair {
  docId: string;
  first: number;
  second: number;
}

/** Quadratic-weighted kappa with its BCa interval over documents. */
export function clusteredKappa(pairs: readonly RatedPair[], options: BootstrapOptions): BootstrapResult {
  const documents = new Map<string, Float64Array>();
  for (const { docId, first, second } of pairs) addTo(documents, docId, first, second);
  return clusterBootstrap([...documents.values()], weightedKappa, options);
}
