/** rounds/rounds.json -> RoundsFacts: what each round added, kept and gained. */

import type { RunFolder } from '../../foundation/run-folder.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson, textAt } from '../read-artifact.ts';
import type { Interval, RoundFacts, RoundsFacts } from '../run-data.ts';

/** Undefined where the run has one round, or none is over yet. */
export function collectRounds(folder: RunFolder, note: Note): RoundsFacts | undefined {
  const summary = readJson(folder.rounds, note);
  if (!isObject(summary)) return undefined;
  const rounds = objects(summary.rounds).map(roundFacts);
  if (rounds.length === 0) return undefined;
  return {
    rounds,
    chosen: numberAt(summary, 'chosen'),
    warnings: texts(summary.warnings),
  };
}

function roundFacts(round: JsonObject): RoundFacts {
  const documents = isObject(round.documents) ? round.documents : {};
  const dev = isObject(round.dev) ? round.dev : {};
  return {
    round: numberAt(round, 'round') ?? 0,
    documents: numberAt(documents, 'added'),
    failed: numberAt(documents, 'failed'),
    funnel: entries(round.added).map(([stage, added]) => ({
      stage,
      asked: numberAt(added, 'collected'),
      parsed: numberAt(added, 'parsed'),
      kept: numberAt(added, 'kept'),
      trained: numberAt(entries(round.stages).find(([name]) => name === stage)?.[1], 'train'),
    })),
    dev: objects(dev.stages).map((stage) => ({
      stage: textAt(stage, 'stage') ?? '',
      outputs: numberAt(stage, 'outputs'),
      student: numberAt(stage, 'student'),
      teacher: numberAt(stage, 'teacher'),
      studentRate: numberAt(stage, 'student_rate'),
      teacherRate: numberAt(stage, 'teacher_rate'),
    })),
    usable: numberAt(dev, 'usable'),
    teacherUsable: numberAt(dev, 'teacher'),
    gain: numberAt(round, 'gain'),
    gainInterval: interval(round.gain_ci),
    rejudged: objects(round.rejudged).map((again) => ({
      by: textAt(again, 'by') ?? '',
      texts: numberAt(again, 'texts'),
      mean: numberAt(again, 'mean'),
      meanAgain: numberAt(again, 'mean_again'),
      rate: numberAt(again, 'rate'),
      rateAgain: numberAt(again, 'rate_again'),
      lost: numberAt(again, 'lost'),
    })),
  };
}

const objects = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

const entries = (value: unknown): [string, JsonObject][] =>
  Object.entries(isObject(value) ? value : {}).filter((entry): entry is [string, JsonObject] => isObject(entry[1]));

function interval(value: unknown): Interval | undefined {
  const [low, high] = Array.isArray(value) ? value : [];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
}
