/** How fast students are trained on this machine, as far as something in the run's folder tells. */

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { readManifest } from '../../foundation/artifact.ts';
import { writeFileAtomic } from '../../foundation/atomic-file.ts';
import { contentHash } from '../../foundation/hash.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import type { Recipe, TrainSettings } from '../../recipe/schema.ts';

export interface KnownSpeed {
  /** Seconds of steps a data-set token. */
  secondsPerToken: number;
  /** For people. */
  from: string;
}

/** What the speed of a step depends on, besides the machine. */
function speedKey(model: string, { method, precision, lora, device }: TrainSettings): string {
  return contentHash({ model, method, precision, rank: lora.rank, device });
}

/**
 * Of a training of this run that is alike, else as `keepSpeed` kept it for this machine.
 *
 * @param model SHA-256 of its weights, or a hash of its sizes
 */
export function knownSpeed(
  recipe: Recipe,
  folder: RunFolder,
  model: string,
  settings: TrainSettings,
): KnownSpeed | undefined {
  const key = speedKey(model, settings);
  for (const { name } of recipe.students) {
    const manifest = readManifest(folder.student(name));
    const { model: base, settings: trained } = (manifest?.inputs ?? {}) as { model?: string; settings?: TrainSettings };
    if (base === undefined || trained === undefined || speedKey(base, trained) !== key) continue;
    const { tokens_per_second, seconds, build_seconds = 0 } = manifest!.facts as Record<string, number>;
    return {
      secondsPerToken: (1 - build_seconds / seconds!) / tokens_per_second!,
      from: `as ${name} was trained`,
    };
  }
  const kept = readKept(folder)[machineKey(key, settings)];
  if (kept === undefined) return undefined;
  const on = kept.on === undefined ? '' : ` on ${kept.on}`;
  return { secondsPerToken: kept.secondsPerToken, from: `measured ${kept.at.slice(0, 10)}${on}` };
}

/** Keeps a measured speed in the run's folder. @param on what it was measured on, where that is not the model itself */
export function keepSpeed(
  folder: RunFolder,
  model: string,
  settings: TrainSettings,
  secondsPerToken: number,
  on?: string,
): void {
  const key = machineKey(speedKey(model, settings), settings);
  const one = { secondsPerToken, at: new Date().toISOString(), ...(on === undefined ? {} : { on }) };
  writeFileAtomic(keptPath(folder), `${JSON.stringify({ ...readKept(folder), [key]: one }, null, 1)}\n`);
}

type Kept = Record<string, { secondsPerToken: number; at: string; on?: string }>;

const keptPath = ({ root }: RunFolder) => join(root, 'speed.json');

function readKept(folder: RunFolder): Kept {
  return existsSync(keptPath(folder)) ? (JSON.parse(readFileSync(keptPath(folder), 'utf8')) as Kept) : {};
}

function machineKey(key: string, { threads }: TrainSettings): string {
  return contentHash({ key, cpu: cpus()[0]?.model ?? '', threads: threads ?? availableParallelism() });
}
