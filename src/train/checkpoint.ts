/** Checkpoints: parameters, moments and step in one folder that is renamed into place, so that it is whole or absent. */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../model/safetensors.ts';
import type { TrainedMoments } from './step.ts';
import { partsOf, type Trained, trainedFile } from './trained.ts';

export interface TrainingState {
  /** Finished optimizer steps. */
  readonly step: number;
  /** Hash of everything the training depends on; a checkpoint of other settings is not resumed. */
  readonly inputHash: string;
  /** Completion tokens and data-set tokens seen, seconds spent. */
  readonly labels: number;
  readonly tokens: number;
  readonly seconds: number;
  /** Dev loss before the first step. */
  readonly devLossBefore: number | null;
}

const PREFIX = 'checkpoint-';
/** Raised when steps come out otherwise or their numbers mean something else: a checkpoint of another version is not resumed. */
const VERSION = 3;

/** Writes `<folder>/checkpoint-<step>` and removes older ones. */
export function saveCheckpoint(folder: string, state: TrainingState, trained: Trained, moments: TrainedMoments): void {
  const target = join(folder, `${PREFIX}${state.step}`);
  const temporary = `${target}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const tensors = new Map<string, WritableTensor>();
  const optimizer = new Map<string, WritableTensor>();
  for (const [part, parameters] of partsOf(trained).entries()) {
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      tensors.set(`${part}.${name}`, { shape, data: data as Float32Array });
      const { m, v } = moments[part]![name]!;
      optimizer.set(`${part}.${name}.m`, { shape, data: m });
      optimizer.set(`${part}.${name}.v`, { shape, data: v });
    }
  }
  // By the names and in the form that training has them: bits are to be the same again.
  writeSafetensors(join(temporary, trainedFile(trained)), tensors);
  writeSafetensors(join(temporary, 'optimizer.safetensors'), optimizer);
  writeFileAtomic(join(temporary, 'state.json'), JSON.stringify({ version: VERSION, ...state }, null, 2));
  rmSync(target, { recursive: true, force: true });
  renameSync(temporary, target);
  for (const { name, step } of checkpoints(folder)) {
    if (step !== state.step) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Loads the newest whole checkpoint into `trained` and `moments`.
 *
 * @returns its state, or undefined where there is none for these inputs, of this version
 */
export function loadCheckpoint(
  folder: string,
  inputHash: string,
  trained: Trained,
  moments: TrainedMoments,
): TrainingState | undefined {
  for (const { name } of checkpoints(folder)) {
    const { version, ...state } = JSON.parse(
      readFileSync(join(folder, name, 'state.json'), 'utf8'),
    ) as TrainingState & { version?: number };
    if (version !== VERSION || state.inputHash !== inputHash) continue;
    // A part at a time: all weights and their moments would be held twice.
    for (const [part, parameters] of partsOf(trained).entries()) {
      const keys = Object.keys(parameters);
      const read = (file: string, names: string[]) => readSafetensors(join(folder, name, file), names);
      const tensors = read(
        trainedFile(trained),
        keys.map((key) => `${part}.${key}`),
      );
      const optimizer = read(
        'optimizer.safetensors',
        keys.flatMap((key) => [`${part}.${key}.m`, `${part}.${key}.v`]),
      );
      for (const key of keys) {
        (parameters[key]!.data as Float32Array).set(tensors.get(`${part}.${key}`)!.data);
        moments[part]![key]!.m.set(optimizer.get(`${part}.${key}.m`)!.data);
        moments[part]![key]!.v.set(optimizer.get(`${part}.${key}.v`)!.data);
      }
    }
    return state;
  }
  return undefined;
}

/** Checkpoints of a student, newest first. */
function checkpoints(folder: string): { name: string; step: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX) && !name.endsWith('.tmp') && existsSync(join(folder, name, 'state.json')))
    .map((name) => ({ name, step: Number(name.slice(PREFIX.length)) }))
    .sort((a, b) => b.step - a.step);
}
