/** The best dev loss of a training, from the lines of losses.jsonl, and the parameters that had it. */

import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LossLine } from './losses-file.ts';
import { saveTrained, type Trained } from './trained.ts';

export interface BestDevLoss {
  readonly step: number;
  readonly loss: number;
  /** Dev losses since then. */
  readonly since: number;
}

/** The first of the lowest dev losses; that before training (step 0) does not count. */
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

/** Keeps the parameters of `step` as the best so far, in place of others. */
export function saveBest(folder: string, step: number, trained: Trained): void {
  if (existsSync(fileOf(folder, step))) return;
  saveTrained(fileOf(folder, step), trained);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(PREFIX) && name !== `${PREFIX}${step}.safetensors`) rmSync(join(folder, name));
  }
}

/** Makes what was kept for `step` the file `path`, which is whole or absent. */
export function takeBest(folder: string, step: number, path: string): void {
  // A copy: who resumes behind the best step finds it again.
  const copy = `${path}.tmp`;
  copyFileSync(fileOf(folder, step), copy);
  const file = openSync(copy, 'r+');
  fsyncSync(file);
  closeSync(file);
  renameSync(copy, path);
}

/** Removes what was kept. */
export function removeBest(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.startsWith(PREFIX)) rmSync(join(folder, name));
}
