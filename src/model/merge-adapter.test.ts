import { expect, it } from 'vitest';
import { largestDistance } from '../../test/engine-logits.ts';
import { busyAdapter, drawTree, loraOf, tinyWeights } from '../../test/tiny-models.ts';
import { Engine } from '../engine/engine.ts';
import { packSequences } from '../engine/pack.ts';
import { LINEAR_NAMES } from './config.ts';
import { mergeAdapter } from './merge-adapter.ts';
import { f32Model } from './runtime-model.ts';

const weights = tinyWeights({ layers: 2 });
const adapter = busyAdapter(weights.config, { rank: 3, alpha: 12 });

it('mergeAdapter() adds scale (A B)^T to each linear', () => {
  const merged = mergeAdapter(weights, adapter);
  const { rank } = adapter;
  const a = adapter.layers[1]!['qkv.A']!.data;
  const b = adapter.layers[1]!['qkv.B.k']!.data;
  const name = `model.layers.1.${LINEAR_NAMES.k}.weight`;
  const [outputs, inputs] = merged.tensors.get(name)!.shape as [number, number];
  // k is the second of the three that share their input.
  const expected = weights.tensors.get(name)!.data.map((w, i) => {
    const [output, input] = [Math.floor(i / inputs), i % inputs];
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += Number(a[input * 3 * rank + rank + r]) * Number(b[r * outputs + output]);
    return w + (12 / 3) * sum;
  });
  expect(largestDistance(merged.tensors.get(name)!.data, expected)).toBeLessThan(1e-6);
});

it('mergeAdapter() shares what is not adapted, and leaves the weights it is given alone', () => {
  const before = new Map(Array.from(weights.tensors, ([name, { data }]) => [name, data.slice()]));
  const merged = mergeAdapter(weights, adapter);
  const linears = new Set(Object.values(LINEAR_NAMES).map((name) => `.${name}.weight`));
  for (const [name, tensor] of weights.tensors) {
    expect(tensor.data).toEqual(before.get(name));
    const isLinear = [...linears].some((ending) => name.endsWith(ending));
    expect(merged.tensors.get(name) === tensor, name).toBe(!isLinear);
  }
});

it('mergeAdapter() makes a model that computes what weights and adapter compute side by side', async () => {
  const packed = packSequences(drawTree(40, [20, 30], 12));
  const beside = new Engine(f32Model(weights), { lora: loraOf(adapter), threads: 1 });
  const merged = new Engine(f32Model(mergeAdapter(weights, adapter)), { threads: 1 });
  const a = await beside.loss(await beside.forward(packed, adapter.layers, false));
  const b = await merged.loss(await merged.forward(packed, [], false));
  expect(largestDistance(b.losses, a.losses)).toBeLessThan(2e-5);
  await beside.release();
  await merged.release();
});
