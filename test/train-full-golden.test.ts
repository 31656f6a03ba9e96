/** Ten steps that train all weights, which PyTorch recorded for every family (eval/golden/record-full.py). */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Engine } from '../src/engine/engine.ts';
import { allWeights } from '../src/model/all-weights.ts';
import { FAMILY_NAMES } from '../src/model/families/families.ts';
import { f32Model } from '../src/model/runtime-model.ts';
import { ADAMW_DEFAULTS } from '../src/train/optimizer.ts';
import { applyGradient, batchGradient, zeroMoments } from '../src/train/step.ts';
import { trainedSize } from '../src/train/trained.ts';
import { largestDistance } from './engine-logits.ts';
import { tinyFamily } from './tiny-families.ts';
import { tinyWeights } from './tiny-models.ts';

interface Recorded {
  readonly parameters: number;
  readonly losses: number[];
  readonly gradientNorms: number[];
}
const recorded = JSON.parse(readFileSync('test/golden/model/full.json', 'utf8')) as Record<
  (typeof FAMILY_NAMES)[number],
  Recorded
> & { learningRate: number; weightDecay: number; prompt: number; tokens: number[][] };

it.each(FAMILY_NAMES)('all weights of %s have the ten losses and gradient norms of PyTorch', async (family) => {
  const trained = allWeights(f32Model(tinyWeights(tinyFamily(family))));
  const expected = recorded[family];
  expect(trainedSize(trained)).toBe(expected.parameters);
  const engine = new Engine(trained.model, { full: true, threads: 1 });
  const moments = zeroMoments(trained);
  const settings = { ...ADAMW_DEFAULTS, weightDecay: recorded.weightDecay };
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 1; step <= expected.losses.length; step++) {
    const tokens = recorded.tokens[(step - 1) % 2]!;
    const gradient = await batchGradient(engine, trained, [[{ tokens, labelsFrom: recorded.prompt }]]);
    losses.push(gradient.loss);
    norms.push(
      applyGradient(trained, moments, gradient, step, recorded.learningRate, Number.POSITIVE_INFINITY, settings),
    );
  }
  await engine.release();
  // f32 rounding, which AdamW magnifies where a gradient is next to nothing.
  expect(largestDistance(losses, expected.losses)).toBeLessThan(1e-4);
  expect(largestDistance(norms, expected.gradientNorms)).toBeLessThan(1e-3);
});
