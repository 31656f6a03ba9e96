/** validation/generations.jsonl: what every arm answered, kept line by line so that a stop loses nothing. */

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';

export interface GenerationLine {
  arm: string;
  model: string;
  stage: string;
  doc_id: string;
  item: string;
  genre?: string;
  audience?: string;
  text: string;
  /** Of a label stage: how sure the student was of each field, 0..1. */
  confidence?: Record<string, number>;
  /** Stopped by itself, without a loop. */
  complete: boolean;
  tokens: number;
  seconds: number;
  /** Hash of what the answer depends on: model, sampling, prompt. */
  made_from: string;
}

/** One output, whoever made it. */
export function outputKey({
  arm,
  model,
  stage,
  item,
}: Pick<GenerationLine, 'arm' | 'model' | 'stage' | 'item'>): string {
  return [arm, model, stage, item].join('\u0000');
}

/**
 * Opens the file of an earlier run: lines that `isCurrent` accepts are kept, all others (of an older student, or torn by a kill) are dropped from it. `add` appends
 * a line at once.
 */
export function openGenerations(path: string, isCurrent: (line: GenerationLine) => boolean) {
  const lines = new Map<string, GenerationLine>();
  for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []) {
    const parsed = parseLine(line);
    if (parsed !== undefined && isCurrent(parsed)) lines.set(outputKey(parsed), parsed);
  }
  writeFileAtomic(path, ...[...lines.values()].map((line) => `${JSON.stringify(line)}\n`));
  return {
    lines: lines as ReadonlyMap<string, GenerationLine>,
    add(line: GenerationLine): void {
      lines.set(outputKey(line), line);
      appendFileSync(path, `${JSON.stringify(line)}\n`);
    },
  };
}

function parseLine(line: string): GenerationLine | undefined {
  try {
    return JSON.parse(line) as GenerationLine;
  } catch {
    return undefined;
  }
}
