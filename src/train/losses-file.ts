/** losses.jsonl of a student: one line a step, one a dev loss. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';

export type LossLine =
  | { step: number; loss: number; learning_rate: number; gradient_norm: number; tokens: number; seconds: number }
  | { step: number; dev_loss: number };

export function appendLoss(path: string, line: LossLine): void {
  appendFileSync(path, JSON.stringify(line) + '\n');
}

/** Drops what a resumed training will write again: lines after `step`, and a torn last line. */
export function truncateLosses(path: string, step: number): void {
  if (!existsSync(path)) return;
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => {
      try {
        return (JSON.parse(line) as LossLine).step <= step;
      } catch {
        return false;
      }
    });
  writeFileAtomic(path, kept.map((line) => line + '\n').join(''));
}
