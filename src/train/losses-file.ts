/** losses.jsonl of a student: one line a step, one a dev loss. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';

export type LossLine =
  | { step: number; loss: number; learning_rate: number; gradient_norm: number; tokens: number; seconds: number }
  | { step: number; dev_loss: number };

export function appendLoss(path: string, line: LossLine): void {
  appendFileSync(path, JSON.stringify(line) + '\n');
}

/** Drops what a resumed training will write again: lines after `step`, and a torn last line. Returns the lines that stay. */
export function truncateLosses(path: string, step: number): LossLine[] {
  if (!existsSync(path)) return [];
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text) => {
      try {
        const line = JSON.parse(text) as LossLine;
        return line.step <= step ? [line] : [];
      } catch {
        return [];
      }
    });
  writeFileAtomic(path, kept.map((line) => JSON.stringify(line) + '\n').join(''));
  return kept;
}
