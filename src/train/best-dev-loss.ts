/** The best dev loss of a training, from the lines of losses.jsonl, and the adapter that had it. */

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Adapter } from '../model/adapter.ts';
import { loadAdapter, saveAdapter } from '../model/adapter-file.ts';
import type { ModelConfig } from '../model/config.ts';
import type { LossLine } from './losses-file.ts';

export interface BestDevLoss {
  readonly step: number;
  readonly loss: number;
  /** Dev losses since then. */
  readonly since: number;
}

/** The first of the lowest dev losses; that of the untrained adapter (step 0) does not count. */
export function bestDevLoss(lines: readonly LossLine[]): BestDevLoss | undefined {
  let best: { step: number; loss: number; since: number } | undefined;
  for (const line of lines) {
    if (!('dev_loss' in line) || line.step === 0) continue;
    if (!best || line.dev_loss < best.loss) best = { step: line.step, loss: line.dev_loss, since: 0 };
    else best.since++;
  }
  return best;
}

const PREFIX = 'best-';
const fileOf = (folder: string, step: number) => join(folder, `${PREFIX}${step}.safetensors`);

/** Keeps the adapter of `step` as the best so far, in place of others. */
export function saveBest(folder: string, step: number, adapter: Adapter): void {
  if (existsSync(fileOf(folder, step))) return;
  saveAdapter(fileOf(folder, step), adapter);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(PREFIX) && name !== `${PREFIX}${step}.safetensors`) rmSync(join(folder, name));
  }
}

/** The adapter kept for `step`. */
export function loadBest(folder: string, step: number, config: ModelConfig): Adapter {
  return loadAdapter(fileOf(folder, step), config);
}

/** Removes what was kept. */
export function removeBest(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.startsWith(PREFIX)) rmSync(join(folder, name));
}
