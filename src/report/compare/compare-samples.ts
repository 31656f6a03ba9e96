/** What both runs answered to the same input, arm by arm, packed for the page. */

import { armClass, armLabel, stageLabel } from '../arms.ts';
import type { ReportData, SampleOutput, SourceText } from '../run-data.ts';
import { packWithin } from '../sample-payload.ts';
import type { Both, ComparisonData } from './comparison-data.ts';

export interface ComparedSample {
  stage: string;
  docId: string;
  item: string;
  arm: string;
  genre?: string | undefined;
  audience?: string | undefined;
  outputs: Both<SampleOutput>;
}

/** What the page's script unpacks. */
export interface ComparePayload {
  names: Both<string>;
  arms: Record<string, { label: string; className: string }>;
  stages: Record<string, string>;
  documents: SourceText[];
  samples: ComparedSample[];
}

/** Every output that both runs have: same stage, arm and input. */
export function comparedSamples([first, second]: Both<ReportData>): ComparedSample[] {
  const others = new Map(second.samples.map((sample) => [`${sample.stage}\n${sample.item}`, sample]));
  return first.samples.flatMap((sample) => {
    const { stage, docId, item, genre, audience } = sample;
    const other = others.get(`${stage}\n${item}`);
    return Object.entries(sample.outputs).flatMap(([arm, output]): ComparedSample[] => {
      const against = other?.outputs[arm];
      // Asked for other readers, it is not the same input.
      const alike = other?.genre === genre && other?.audience === audience;
      return against === undefined || !alike
        ? []
        : [{ stage, docId, item, arm, genre, audience, outputs: [output, against] }];
    });
  });
}

/** The packed samples and how many there are. */
export function packCompared(samples: readonly ComparedSample[], { runs, names }: ComparisonData) {
  const sources = new Map(runs.flatMap((run) => run.sources).map((source) => [source.id, source]));
  return packWithin(samples, (shown): ComparePayload => {
    const distinct = (values: readonly string[]) => [...new Set(values)];
    return {
      names,
      arms: Object.fromEntries(
        distinct(shown.map(({ arm }) => arm)).map((arm) => [arm, { label: armLabel(arm), className: armClass(arm) }]),
      ),
      stages: Object.fromEntries(distinct(shown.map(({ stage }) => stage)).map((stage) => [stage, stageLabel(stage)])),
      documents: distinct(shown.map(({ docId }) => docId)).flatMap((id) => sources.get(id) ?? []),
      samples: [...shown],
    };
  });
}
