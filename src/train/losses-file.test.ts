import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendLoss, type LossLine, truncateLosses } from './losses-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-losses-'));
  path = join(folder, 'losses.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (step: number): LossLine => ({
  step,
  loss: 1 / 3 + step,
  learning_rate: 1e-3,
  gradient_norm: 0.5,
  tokens: 10,
  seconds: 0.1,
});
const dev = (step: number): LossLine => ({ step, dev_loss: 2 });

describe('truncateLosses()', () => {
  it('keeps the lines up to a step, dev losses too, byte for byte, and returns them', () => {
    const lines = [dev(0), line(1), line(2), dev(2), line(3)];
    for (const one of lines.slice(0, 4)) appendLoss(path, one);
    const before = readFileSync(path, 'utf8');
    appendLoss(path, line(3));
    expect(truncateLosses(path, 2)).toEqual(lines.slice(0, 4));
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('drops a torn last line', () => {
    appendLoss(path, line(1));
    appendFileSync(path, '{"step":2,"lo');
    expect(truncateLosses(path, 5)).toEqual([line(1)]);
    appendLoss(path, line(2));
    expect(readFileSync(path, 'utf8').split('\n').length).toBe(3);
  });

  it('drops everything before the first step, and makes no file', () => {
    expect(truncateLosses(path, -1)).toEqual([]);
    expect(existsSync(path)).toBe(false);
    appendLoss(path, dev(0));
    expect(truncateLosses(path, -1)).toEqual([]);
    expect(readFileSync(path, 'utf8')).toBe('');
  });
});
