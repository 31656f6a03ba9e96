/** The manifests and status.json -> how long each command took, and when the run was finished. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../foundation/artifact.ts';
import { type RunFolder, roundFolder } from '../../foundation/run-folder.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson } from '../read-artifact.ts';
import type { TimeLine } from '../run-data.ts';

export interface CollectedTimes {
  times: TimeLine[];
  finishedAt: string | undefined;
  version: string | undefined;
}

/** Seconds of every finished command. Collect has no manifest (its ledger only grows): the status file tells its time. */
export function collectTimes(recipe: Recipe, folder: RunFolder, note: Note): CollectedTimes {
  const names = recipe.students.map(({ name }) => name);
  const artifacts = [
    ...(recipe.rounds.count === 1
      ? [
          { what: 'Curate', home: folder.round(1) },
          ...names.map((name) => ({ what: `Train ${name}`, home: folder.student(name) })),
        ]
      : ofRounds(folder, names)),
    ...names.map((name) => ({ what: `Quantize ${name}`, home: join(folder.student(name), 'w8a8') })),
    ...names.map((name) => ({ what: `Export ${name}`, home: folder.exported(name) })),
    { what: 'Validate', home: folder.validation },
  ];
  const manifests = artifacts.flatMap(({ what, home }) => {
    const manifest = readJson(join(home, 'manifest.json'), note);
    return isObject(manifest) ? [{ what, manifest: manifest as Partial<Manifest> & JsonObject }] : [];
  });
  const lines = manifests.map(({ what, manifest }) => ({ what, seconds: manifest.seconds, detail: speed(manifest) }));
  return {
    times: [...collectTime(folder, note), ...lines],
    finishedAt: manifests
      .flatMap(({ manifest }) => manifest.createdAt ?? [])
      .sort()
      .at(-1),
    version: manifests.at(-1)?.manifest.versions?.['mga-distill'],
  };
}

/** What each round took; those that were not made have no manifests. */
function ofRounds(folder: RunFolder, students: readonly string[]): { what: string; home: string }[] {
  const home = join(folder.root, 'rounds');
  const rounds = existsSync(home) ? readdirSync(home).map(Number).filter(Number.isInteger) : [];
  return rounds
    .sort((a, b) => a - b)
    .flatMap((round) => [
      { what: `Round ${round}: curate`, home: folder.round(round) },
      { what: `Round ${round}: try students`, home: join(folder.round(round), 'trial') },
      ...students.map((name) => ({
        what: `Round ${round}: train ${name}`,
        home: roundFolder(folder, round).student(name),
      })),
      { what: `Round ${round}: students on dev`, home: join(folder.round(round), 'dev') },
    ]);
}

function speed(manifest: JsonObject): string {
  const tokens = isObject(manifest.facts)
    ? numberAt(manifest.facts, 'tokens_per_second', 'tokensPerSecond')
    : undefined;
  return tokens === undefined ? '' : `${Math.round(tokens).toLocaleString('en')} tokens a second`;
}

function collectTime(folder: RunFolder, note: Note): TimeLine[] {
  const status = readJson(folder.status, note);
  const commands = isObject(status) && Array.isArray(status.commands) ? status.commands.filter(isObject) : [];
  const collect = commands.find(({ command }) => command === 'collect');
  const seconds = numberAt(collect, 'seconds');
  return seconds === undefined ? [] : [{ what: 'Collect', seconds, detail: '' }];
}
