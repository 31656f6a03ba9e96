/** Logits that transformers recorded (eval/golden/record-logits.py, record-gguf.py), by the engine. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { engineLogits, largestDistance } from '../../test/engine-logits.ts';
import { tinyWeights } from '../../test/tiny-models.ts';
import { convertGguf } from '../model/gguf-convert.ts';
import { loadModel } from '../model/load.ts';
import { f32Model } from '../model/runtime-model.ts';

const golden = (name: string): unknown => JSON.parse(readFileSync(`test/golden/model/${name}`, 'utf8'));

/** Logits are of order 1, so this is f32 rounding over two layers. */
const TOLERANCE = 2e-5;

it('Engine gives the logits and losses of transformers for the tiny random model', async () => {
  const recorded = golden('tiny-random.json') as { tokens: number[]; losses: number[]; logits: number[][] };
  const { logits, losses } = await engineLogits(f32Model(tinyWeights()), recorded.tokens);
  expect(logits.length).toBe(recorded.logits.length);
  for (const [i, row] of logits.entries()) expect(largestDistance(row, recorded.logits[i]!)).toBeLessThan(TOLERANCE);
  expect(largestDistance(losses, recorded.losses)).toBeLessThan(TOLERANCE);
});

it('Engine gives the logits of transformers for a GGUF file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mga-golden-'));
  try {
    await convertGguf('test/golden/model/tiny.gguf', folder);
    const recorded = golden('gguf.json') as { prompt: number[]; lastLogits: number[] };
    const { logits } = await engineLogits(f32Model(loadModel(folder)), recorded.prompt);
    expect(largestDistance(logits.at(-1)!, recorded.lastLogits)).toBeLessThan(TOLERANCE);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
