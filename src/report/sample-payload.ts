/** Samples packed for the page: JSON, deflated, base64. Compressed, since four texts an item would not fit 5 MB otherwise. */

import { deflateRawSync } from 'node:zlib';
import { armClass, armLabel, stageLabel } from './arms.ts';
import { thin } from './collect/collect-samples.ts';
import type { ReportData, Sample, SourceText } from './run-data.ts';

/** Base64 characters the samples may take: the page stays under 5 MB with its figures and style. */
export const PAYLOAD_BUDGET = 4_400_000;

/** What the page's script unpacks. Outputs are in the order of `arms`; null where the arm has none. */
export interface SamplePayload {
  arms: { id: string; label: string; className: string }[];
  stages: Record<string, string>;
  documents: SourceText[];
  samples: (Omit<Sample, 'outputs'> & { outputs: (Sample['outputs'][string] | null)[] })[];
}

/** The packed samples and how many there are: fewer than the run's where the budget does not hold them all. */
export function packSamples(data: ReportData, budget = PAYLOAD_BUDGET): { base64: string; shown: number } {
  return packWithin(data.samples, (samples) => payloadOf(data, samples), budget);
}

/** The payload of as many of the items as the budget holds, evenly drawn. */
export function packWithin<T>(
  items: readonly T[],
  payload: (shown: readonly T[]) => object,
  budget = PAYLOAD_BUDGET,
): { base64: string; shown: number } {
  let shown = items;
  for (;;) {
    const base64 = pack(payload(shown));
    if (base64.length <= budget || shown.length <= 1) return { base64, shown: shown.length };
    // Sizes vary from item to item: aim a little below the budget so that one more round is enough.
    shown = thin(shown, Math.max(1, Math.floor((shown.length * budget * 0.95) / base64.length)));
  }
}

function payloadOf(data: ReportData, samples: readonly Sample[]): SamplePayload {
  const used = new Set(samples.map((sample) => sample.docId));
  return {
    arms: data.arms.map((id) => ({ id, label: armLabel(id), className: armClass(id) })),
    stages: Object.fromEntries(
      [...new Set(samples.map(({ stage }) => stage))].map((stage) => [stage, stageLabel(stage)]),
    ),
    documents: data.sources.filter((source) => used.has(source.id)),
    samples: samples.map((sample) => ({ ...sample, outputs: data.arms.map((arm) => sample.outputs[arm] ?? null) })),
  };
}

function pack(payload: object): string {
  return deflateRawSync(JSON.stringify(payload), { level: 9 }).toString('base64');
}
