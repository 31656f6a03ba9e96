import { afterAll, describe, expect, it } from 'vitest';
import { busyAdapter, differences, drawTree, loraOf, SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import { Engine } from '../engine/engine.ts';
import { f32Model } from '../model/runtime-model.ts';
import { ADAMW_DEFAULTS } from './optimizer.ts';
import { applyGradient, batchGradient, zeroMoments } from './step.ts';

const weights = tinyWeights(SMALLEST);
const adapter = busyAdapter(weights.config, { rank: 2, alpha: 4 });
const engine = new Engine(f32Model(weights), { lora: loraOf(adapter), threads: 1 });
afterAll(() => engine.release());

describe('batchGradient()', () => {
  it('is the mean over all completion tokens, whatever way the batch is cut', async () => {
    const batch = [...drawTree(40, [10, 20], 7), ...drawTree(9, [9], 3, 1)];
    const whole = await batchGradient(engine, adapter, [batch]);
    const parts = await batchGradient(engine, adapter, [batch.slice(0, 1), batch.slice(1)]);
    expect(whole.labels).toBe(17);
    expect(parts.labels).toBe(17);
    expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-6);
    expect(differences(parts.grads, whole.grads, 1e-5)).toEqual([]);
  });
});

describe('applyGradient()', () => {
  const fresh = () => busyAdapter(weights.config, { rank: 2, alpha: 4 });
  const gradientOf = (value: number) => ({
    loss: 1,
    labels: 1,
    grads: adapter.layers.map((layer) =>
      Object.fromEntries(
        Object.entries(layer).map(([name, { data }]) => [name, new Float32Array(data.length).fill(value)]),
      ),
    ),
  });
  const count = adapter.layers.reduce(
    (sum, layer) => sum + Object.values(layer).reduce((n, { data }) => n + data.length, 0),
    0,
  );
  const firstMoment = (value: number, clip: number) => {
    const [one, gradient] = [fresh(), gradientOf(value)];
    const moments = zeroMoments(one);
    const norm = applyGradient(one, moments, gradient, 1, 1e-3, clip, ADAMW_DEFAULTS);
    return { norm, m: moments[0]!['qkv.A']!.m[0]! };
  };

  it('clips the norm of all gradients together, and returns it as it was', () => {
    const { norm, m } = firstMoment(0.5, 1);
    expect(norm).toBeCloseTo(0.5 * Math.sqrt(count), 6);
    expect(m).toBeCloseTo(0.1 / Math.sqrt(count), 7);
  });

  it('leaves smaller gradients alone', () => {
    expect(firstMoment(1e-4, 1).m).toBe(Math.fround(0.1 * Math.fround(1e-4)));
  });

  it('moves every parameter against its gradient', () => {
    const moved = fresh();
    applyGradient(moved, zeroMoments(moved), gradientOf(0.5), 1, 1e-3, 1, ADAMW_DEFAULTS);
    for (const [layer, tensors] of moved.layers.entries()) {
      for (const [name, { data }] of Object.entries(tensors)) {
        const before = adapter.layers[layer]![name]!.data;
        for (const [i, value] of (data as Float32Array).entries()) {
          expect(Number(before[i]) - value).toBeCloseTo(1e-3, 5);
        }
      }
    }
  });
});
