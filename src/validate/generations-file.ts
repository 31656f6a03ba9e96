/** validation/generations.jsonl: what each arm wrote. Kept on resume: what an arm has written is not generated again. */

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';

export interface GenerationLine {
  arm: string;
  model: string;
  stage: string;
  doc_id: string;
  item: string;
  text: string;
  /** Stopped by itself, and without a loop. */
  complete: boolean;
  tokens: number;
  seconds: number;
  /** Hash of what made it: model, settings, seed. Lines of other makings are not read. */
  made_from: string;
}

const keyOf = ({ arm, stage, item, made_from }: Pick<GenerationLine, 'arm' | 'stage' | 'item' | 'made_from'>) =>
  [arm, stage, item, made_from].join('\u0000');

/** The lines of a file, by arm, stage, item and making. A torn last line is left out. */
export class GenerationsFile {
  private readonly path: string;
  private readonly lines = new Map<string, GenerationLine>();

  constructor(path: string) {
    this.path = path;
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) return;
    for (const text of readFileSync(path, 'utf8').split('\n')) {
      try {
        const line = JSON.parse(text) as GenerationLine;
        this.lines.set(keyOf(line), line);
      } catch {}
    }
    this.rewrite();
  }

  get(key: Pick<GenerationLine, 'arm' | 'stage' | 'item' | 'made_from'>): GenerationLine | undefined {
    return this.lines.get(keyOf(key));
  }

  append(line: GenerationLine): void {
    this.lines.set(keyOf(line), line);
    appendFileSync(this.path, JSON.stringify(line) + '\n');
  }

  /** Leaves only these lines in the file, in this order. */
  keep(lines: readonly GenerationLine[]): void {
    this.lines.clear();
    for (const line of lines) this.lines.set(keyOf(line), line);
    this.rewrite();
  }

  private rewrite(): void {
    writeFileAtomic(this.path, [...this.lines.values()].map((line) => JSON.stringify(line) + '\n').join(''));
  }
}
