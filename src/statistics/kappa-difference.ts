/** Which of two judges agrees better with a third, on the same texts. */

import { type BootstrapOptions, type BootstrapResult, clusterBootstrap } from './cluster-bootstrap.ts';
import { LEVELS } from './confusion.ts';
import { weightedKappa } from './weighted-kappa.ts';

/** One text of a document, scored 1..5 by the reference and by two judges. */
export interface ComparedScores {
  docId: string;
  reference: number;
  first: number;
  second: number;
}

/** Quadratic-weighted kappa of the second judge with the reference less that of the first, with its paired BCa interval over documents. */
export function kappaDifference(texts: readonly ComparedScores[], options: BootstrapOptions): BootstrapResult {
  const cells = LEVELS * LEVELS;
  const documents = new Map<string, Float64Array>();
  for (const { docId, reference, first, second } of texts) {
    const counts = documents.get(docId) ?? new Float64Array(2 * cells);
    documents.set(docId, counts);
    counts[(reference - 1) * LEVELS + first - 1]! += 1;
    counts[cells + (reference - 1) * LEVELS + second - 1]! += 1;
  }
  const difference = (sum: Float64Array) => weightedKappa(sum.subarray(cells)) - weightedKappa(sum.subarray(0, cells));
  return clusterBootstrap([...documents.values()], difference, options);
}
