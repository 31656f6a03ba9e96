/** validation/{generations,scores}.jsonl -> samples side by side, and score histograms. */

import { join } from 'node:path';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { orderArms } from '../arms.ts';
import { flagAt, type JsonObject, type Note, readJsonLines, textAt } from '../read-artifact.ts';
import type { Sample, SampleOutput, ScoreHistogram } from '../run-data.ts';

/** Samples a page carries at most: more is not read by anyone and the file would pass 5 MB. */
export const MAX_SAMPLES = 1000;

export interface CollectedSamples {
  arms: string[];
  samples: Sample[];
  histograms: ScoreHistogram[];
}

/** Every item of the validation with what each arm answered; above MAX_SAMPLES evenly thinned, with a note. */
export function collectSamples(folder: RunFolder, note: Note): CollectedSamples {
  const generations = readJsonLines(join(folder.validation, 'generations.jsonl'), note);
  const scores = readJsonLines(join(folder.validation, 'scores.jsonl'), note);
  if (generations === undefined) note('There are no generations, so there are no samples to read.');
  if (scores === undefined) note('There are no scores of single outputs.');

  const scoreOf = new Map((scores ?? []).map((line) => [outputKey(line), line]));
  const byItem = new Map<string, Sample>();
  for (const line of generations ?? []) {
    const stage = textAt(line, 'stage') ?? 'reformulate';
    const item = textAt(line, 'item') ?? '';
    const sample = byItem.get(`${stage}\n${item}`) ?? {
      stage,
      item,
      docId: textAt(line, 'doc_id') ?? item.split('/')[0]!,
      genre: textAt(line, 'genre'),
      audience: textAt(line, 'audience'),
      outputs: {},
    };
    sample.outputs[textAt(line, 'arm') ?? 'unknown'] = readOutput(line, scoreOf.get(outputKey(line)));
    byItem.set(`${stage}\n${item}`, sample);
  }

  const all = [...byItem.values()];
  if (all.length > MAX_SAMPLES)
    note(
      `${MAX_SAMPLES} of ${all.length} samples are shown, evenly drawn; the rest is in validation/generations.jsonl.`,
    );
  return {
    arms: orderArms(all.flatMap((sample) => Object.keys(sample.outputs))),
    samples: thin(all, MAX_SAMPLES),
    histograms: histograms(scores ?? []),
  };
}

/** At most `limit` of the items, evenly spaced, in order. */
export function thin<T>(items: readonly T[], limit: number): T[] {
  if (items.length <= limit) return [...items];
  return Array.from({ length: limit }, (_, i) => items[Math.floor((i * items.length) / limit)]!);
}

function outputKey(line: JsonObject): string {
  return [line.arm, line.stage ?? 'reformulate', line.item].join('\n');
}

function readOutput(generation: JsonObject, score: JsonObject | undefined): SampleOutput {
  return {
    text: textAt(generation, 'text') ?? '',
    score: scoreLevel(score),
    reason: textAt(score, 'reason'),
    usable: flagAt(score ?? {}, 'usable'),
    copied: flagAt(score ?? {}, 'copied'),
    complete: flagAt(score ?? {}, 'complete') ?? flagAt(generation, 'complete'),
  };
}

function scoreLevel(line: JsonObject | undefined): number | null {
  const score = line?.score;
  return typeof score === 'number' && score >= 1 && score <= 5 ? Math.round(score) : null;
}

/** Score counts per stage and arm. Stages in which nothing carries a score (pairs: valid or not) have no histogram. */
function histograms(scores: readonly JsonObject[]): ScoreHistogram[] {
  const groups = new Map<string, ScoreHistogram>();
  for (const line of scores) {
    const stage = textAt(line, 'stage') ?? 'reformulate';
    const arm = textAt(line, 'arm') ?? 'unknown';
    const group = groups.get(`${stage}\n${arm}`) ?? {
      stage,
      arm,
      total: 0,
      counts: { 5: 0, 4: 0, 3: 0, 2: 0, 1: 0, none: 0 },
    };
    group.total++;
    group.counts[(scoreLevel(line)?.toString() ?? 'none') as keyof ScoreHistogram['counts']]++;
    groups.set(`${stage}\n${arm}`, group);
  }
  const all = [...groups.values()];
  const scored = new Set(all.filter((group) => group.counts.none < group.total).map((group) => group.stage));
  const order = orderArms(all.map((group) => group.arm));
  return all
    .filter((group) => scored.has(group.stage))
    .sort((a, b) => a.stage.localeCompare(b.stage) || order.indexOf(a.arm) - order.indexOf(b.arm));
}
