/** Checkpoints: adapter, moments and step in one folder that is renamed into place, so that it is whole or absent. */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { Adapter } from '../model/adapter.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../model/safetensors.ts';
import type { AdapterMoments } from './step.ts';

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

/** Writes `<folder>/checkpoint-<step>` and removes older ones. */
export function saveCheckpoint(folder: string, state: TrainingState, adapter: Adapter, moments: AdapterMoments): void {
  const target = join(folder, `${PREFIX}${state.step}`);
  const temporary = `${target}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const tensors = new Map<string, WritableTensor>();
  const optimizer = new Map<string, WritableTensor>();
  for (const [layer, parameters] of adapter.layers.entries()) {
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      tensors.set(`${layer}.${name}`, { shape, data: data as Float32Array });
      const { m, v } = moments[layer]![name]!;
      optimizer.set(`${layer}.${name}.m`, { shape, data: m });
      optimizer.set(`${layer}.${name}.v`, { shape, data: v });
    }
  }
  writeSafetensors(join(temporary, 'adapter.safetensors'), tensors);
  writeSafetensors(join(temporary, 'optimizer.safetensors'), optimizer);
  writeFileAtomic(join(temporary, 'state.json'), JSON.stringify(state, null, 2));
  rmSync(target, { recursive: true, force: true });
  renameSync(temporary, target);
  for (const { name, step } of checkpoints(folder)) {
    if (step !== state.step) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Loads the newest whole checkpoint into `adapter` and `moments`.
 *
 * @returns its state, or undefined where there is none for these inputs
 */
export function loadCheckpoint(
  folder: string,
  inputHash: string,
  adapter: Adapter,
  moments: AdapterMoments,
): TrainingState | undefined {
  for (const { name } of checkpoints(folder)) {
    const state = JSON.parse(readFileSync(join(folder, name, 'state.json'), 'utf8')) as TrainingState;
    if (state.inputHash !== inputHash) continue;
    const tensors = readSafetensors(join(folder, name, 'adapter.safetensors'));
    const optimizer = readSafetensors(join(folder, name, 'optimizer.safetensors'));
    for (const [layer, parameters] of adapter.layers.entries()) {
      for (const [key, { data }] of Object.entries(parameters)) {
        (data as Float32Array).set(tensors.get(`${layer}.${key}`)!.data);
        moments[layer]![key]!.m.set(optimizer.get(`${layer}.${key}.m`)!.data);
        moments[layer]![key]!.v.set(optimizer.get(`${layer}.${key}.v`)!.data);
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
