/** Macro-F1 of labels, with its interval over documents. */

import { type BootstrapOptions, type BootstrapResult, clusterBootstrap } from './cluster-bootstrap.ts';

/** A document's label: index of the class, or -1 where there is none. */
export interface LabelPair {
  given: number;
  expected: number;
}

/**
 * The mean over classes of F1 = 2 TP / (2 TP + FP + FN); classes that are neither given nor expected are left out
 * (scikit-learn's f1_score with average "macro"). A missing label is a false negative of the expected class. BCa over documents.
 *
 * @param pairs one a document
 */
export function macroF1(pairs: readonly LabelPair[], classes: number, options: BootstrapOptions): BootstrapResult {
  const clusters = pairs.map(({ given, expected }) => {
    // A class has two places: twice its true positives, and the denominator of its F1.
    const counts = new Float64Array(2 * classes);
    if (given === expected && given >= 0) counts[2 * given]! += 2;
    if (given >= 0) counts[2 * given + 1]! += 1;
    if (expected >= 0) counts[2 * expected + 1]! += 1;
    return counts;
  });
  return clusterBootstrap(clusters, meanF1, options);
}

function meanF1(counts: Float64Array): number {
  let [sum, seen] = [0, 0];
  for (let i = 0; i < counts.length; i += 2) {
    if (counts[i + 1] === 0) continue;
    sum += counts[i]! / counts[i + 1]!;
    seen++;
  }
  return seen === 0 ? Number.NaN : sum / seen;
}
