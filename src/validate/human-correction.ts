/** What people's labels say of the judge, and of the rates it gave. */

import { randomStream } from '../foundation/random.ts';
import { clusterBootstrap } from '../statistics/cluster-bootstrap.ts';
import type { Interval } from '../statistics/wilson.ts';

/** One output of an arm; the human score where a person gave one. */
export interface LabelledOutput {
  docId: string;
  passed: boolean;
  human?: number;
}

export interface HumanCorrection {
  /** Outputs with a label. */
  texts: number;
  /** Of what people let pass, the share the judge lets pass; null where people let nothing pass. */
  sensitivity: number | null;
  /** Of what people refuse, the share the judge refuses; null where people refuse nothing. */
  specificity: number | null;
  rate: number;
  /** Null where the judge is no better than a coin, or one of both shares is unknown. */
  corrected: number | null;
  corrected_ci: Interval | null;
}

/**
 * The rate that the judge's errors leave likely (Rogan and Gladen 1978), with its BCa interval over documents, in which labels and rate vary together:
 *
 *   corrected = (rate + specificity - 1) / (sensitivity + specificity - 1), within 0..1
 */
export function humanCorrection(
  outputs: readonly LabelledOutput[],
  passing: number,
  { seed, resamples }: { seed: number; resamples: number },
): HumanCorrection {
  // Outputs, judge passes; people pass, both pass; people refuse, both refuse.
  const documents = new Map<string, Float64Array>();
  for (const { docId, passed, human } of outputs) {
    const sums = documents.get(docId) ?? new Float64Array(6);
    documents.set(docId, sums);
    sums[0]! += 1;
    if (passed) sums[1]! += 1;
    if (human === undefined) continue;
    const at = human >= passing ? 2 : 4;
    sums[at]! += 1;
    if (passed === human >= passing) sums[at + 1]! += 1;
  }
  const clusters = [...documents.values()];
  const total = new Float64Array(6);
  for (const sums of clusters) for (let i = 0; i < 6; i++) total[i]! += sums[i]!;
  const options = { random: randomStream(seed, 'human'), resamples };
  const { estimate, interval } = clusterBootstrap(clusters, correctedRate, options);
  return {
    texts: total[2]! + total[4]!,
    sensitivity: total[2]! > 0 ? total[3]! / total[2]! : null,
    specificity: total[4]! > 0 ? total[5]! / total[4]! : null,
    rate: total[1]! / total[0]!,
    corrected: Number.isNaN(estimate) ? null : estimate,
    corrected_ci: interval.every(Number.isFinite) ? interval : null,
  };
}

function correctedRate(sum: Float64Array): number {
  const rate = sum[1]! / sum[0]!;
  const [sensitivity, specificity] = [sum[3]! / sum[2]!, sum[5]! / sum[4]!];
  const better = sensitivity + specificity - 1;
  return better > 0 ? Math.min(1, Math.max(0, (rate + specificity - 1) / better)) : Number.NaN;
}
