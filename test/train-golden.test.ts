/** Ten LoRA steps that PyTorch and PEFT recorded (eval/golden/record-losses.py), by our own training step. */

import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { Engine } from '../src/engine/engine.ts';
import { type Adapter, adapterScale, createAdapter } from '../src/model/adapter.ts';
import { LINEAR_NAMES } from '../src/model/config.ts';
import { f32Model } from '../src/model/runtime-model.ts';
import { readSafetensors } from '../src/model/safetensors.ts';
import { ADAMW_DEFAULTS } from '../src/train/optimizer.ts';
import { applyGradient, batchGradient, zeroMoments } from '../src/train/step.ts';
import { largestDistance } from './engine-logits.ts';
import { asPeft, modulesOf, numbersOf } from './peft-tensors.ts';
import { tinyWeights } from './tiny-models.ts';

const recorded = JSON.parse(readFileSync('test/golden/model/losses.json', 'utf8')) as {
  rank: number;
  alpha: number;
  learningRate: number;
  samplesPerStep: number;
  linears: string[];
  losses: number[];
  gradientNorms: number[];
  samples: { tokens: number[]; promptLength: number }[];
};
const STEPS = recorded.losses.length;
const weights = tinyWeights();
const { config } = weights;

/** A of each module by the formula in losses.json, B zero. */
function recordedStart(): Adapter {
  const { rank, alpha, linears } = recorded;
  const adapter = createAdapter(config, { rank, alpha }, 0);
  for (const { layer, group, index, name } of modulesOf(config)) {
    const a = adapter.layers[layer]![`${group.name}.A`]!.data;
    const t = 7 * layer + linears.indexOf(LINEAR_NAMES[name]);
    for (let i = 0; i < rank; i++) {
      for (let j = 0; j < group.inputs; j++) {
        const value = (((i * group.inputs + j) * 37 + t * 11) % 101) - 50;
        a[j * rank * group.parts.length + index * rank + i] = value / (50 * Math.sqrt(group.inputs));
      }
    }
  }
  return adapter;
}

const losses: number[] = [];
const norms: number[] = [];
const snapshots = new Map<string, ReturnType<typeof asPeft>>();

beforeAll(async () => {
  const adapter = recordedStart();
  const moments = zeroMoments(adapter);
  const lora = { rank: adapter.rank, scale: adapterScale(adapter) };
  const engine = new Engine(f32Model(weights), { lora, threads: 2 });
  const { samples, samplesPerStep, learningRate } = recorded;
  for (let step = 1; step <= STEPS; step++) {
    const first = (samplesPerStep * (step - 1)) % samples.length;
    const batch = samples
      .slice(first, first + samplesPerStep)
      .map(({ tokens, promptLength }) => ({ tokens, labelsFrom: promptLength }));
    const gradient = await batchGradient(engine, adapter, [batch]);
    losses.push(gradient.loss);
    if (step === 1 || step === STEPS)
      snapshots.set(`losses-gradients-step${step}`, asPeft(config, recorded.rank, gradient.grads));
    norms.push(applyGradient(adapter, moments, gradient, step, learningRate, Number.POSITIVE_INFINITY, ADAMW_DEFAULTS));
  }
  snapshots.set(`losses-adapter-step${STEPS}`, asPeft(config, recorded.rank, numbersOf(adapter.layers)));
  await engine.release();
});

it('gives the ten losses of PyTorch and PEFT', () => {
  expect(largestDistance(losses, recorded.losses)).toBeLessThan(5e-6);
});

it('gives their gradient norms', () => {
  expect(largestDistance(norms, recorded.gradientNorms)).toBeLessThan(5e-6);
});

// AdamW divides by the root of the second moment: where a gradient is next to nothing, its rounding steers the step.
it.each([
  ['losses-gradients-step1', 2e-6],
  [`losses-gradients-step${STEPS}`, 2e-6],
  [`losses-adapter-step${STEPS}`, 2e-5],
])('gives every tensor of %s', (file, tolerance) => {
  const found = snapshots.get(file)!;
  const expected = readSafetensors(`test/golden/model/${file}.safetensors`);
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  const off = Array.from(expected, ([name, { data }]) => ({
    name,
    distance: largestDistance(found.get(name)!.data, data),
  }));
  expect(off.filter(({ distance }) => distance > tolerance)).toEqual([]);
});
