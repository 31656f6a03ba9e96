/** rounds/<n>/manifest.json facts -> StageFunnel[]: how many samples each step of curate left, and why the others went. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson } from '../read-artifact.ts';
import type { StageFunnel } from '../run-data.ts';

/** The counts curate keeps for a stage (curate/funnel.ts), in the order samples pass them, with the words for people. */
const STEPS: readonly (readonly [field: string, label: string])[] = [
  ['collected', 'asked of the teacher'],
  ['parsed', 'well formed'],
  ['kept', 'kept'],
  ['train', 'for training'],
  ['dev', 'for dev loss'],
];

/** The funnel of the newest round, a stage each. */
export function collectFunnels(folder: RunFolder, note: Note): StageFunnel[] {
  const round = newestRound(folder);
  const manifest = round === undefined ? undefined : readJson(join(folder.round(round), 'manifest.json'), note);
  if (!isObject(manifest)) {
    note('The samples have not been curated, so there is no funnel.');
    return [];
  }
  const facts = isObject(manifest.facts) ? manifest.facts : {};
  const funnels = Object.entries(isObject(facts.stages) ? facts.stages : {})
    .filter((entry): entry is [string, JsonObject] => isObject(entry[1]))
    .map(([stage, counts]) => readFunnel(stage, counts))
    .filter((funnel) => funnel.steps.length > 0);
  if (funnels.length === 0) note('The manifest of the curated round holds no counts.');
  return funnels;
}

function newestRound(folder: RunFolder): number | undefined {
  const rounds = join(folder.root, 'rounds');
  if (!existsSync(rounds)) return undefined;
  return readdirSync(rounds)
    .map(Number)
    .filter((round) => Number.isInteger(round) && existsSync(join(folder.round(round), 'manifest.json')))
    .sort((a, b) => b - a)[0];
}

function readFunnel(stage: string, counts: JsonObject): StageFunnel {
  const steps = STEPS.flatMap(([field, label]) => {
    const count = numberAt(counts, field);
    return count === undefined ? [] : [{ label, count }];
  });
  const dropped = Object.entries(isObject(counts.dropped) ? counts.dropped : {})
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count);
  return { stage, steps, dropped };
}
