import { afterAll, describe, expect, it } from 'vitest';
import {
  busyAdapter,
  cosine,
  drawTree,
  loraOf,
  smoothedWeights,
  tinyWeights,
  wildSmoothing,
} from '../../test/tiny-models.ts';
import { Engine } from '../engine/engine.ts';
import { type Adapter, createAdapter } from '../model/adapter.ts';
import { f32Model, type RuntimeModel } from '../model/runtime-model.ts';
import { scaleAdapter } from '../quantize/student-model.ts';
import { ADAMW_DEFAULTS } from './optimizer.ts';
import { applyGradient, batchGradient, type Units, zeroMoments } from './step.ts';
import { adapterUnits } from './trained.ts';

const weights = tinyWeights();
const { config } = weights;
const smoothing = wildSmoothing(config);
const batches = [0, 1, 2].map((seed) => [drawTree(40, [20, 30], 12, seed)]);
const changes = (after: Adapter, before: Adapter) =>
  after.layers.map((layer, i) =>
    Object.fromEntries(
      Object.entries(layer).map(([name, { data }]) => [
        name,
        (data as Float32Array).map((x, j) => x - Number(before.layers[i]![name]!.data[j])),
      ]),
    ),
  );

const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.release();
});

async function trainThree(model: RuntimeModel, adapter: Adapter, units?: Units) {
  const engine = new Engine(model, { lora: loraOf(adapter), threads: 1 });
  engines.push(engine);
  const moments = zeroMoments(adapter);
  const found: { loss: number; norm: number }[] = [];
  for (const [i, batch] of batches.entries()) {
    const gradient = await batchGradient(engine, adapter, batch);
    const norm = applyGradient(adapter, moments, gradient, i + 1, 1e-2, 0.5, ADAMW_DEFAULTS, units);
    found.push({ loss: gradient.loss, norm });
  }
  return found;
}

describe('adapterUnits()', () => {
  const starts: [string, () => Adapter][] = [
    ['a fresh adapter', () => createAdapter(config, { rank: 4, alpha: 8 }, 1)],
    ['one that has learnt', () => busyAdapter(config, { rank: 4, alpha: 8 })],
  ];
  it.each(starts)('train %s beside the smoothed base as beside the plain one', async (_, start) => {
    const plain = start();
    const expected = await trainThree(f32Model(weights), plain);
    const smoothed = scaleAdapter(start(), smoothing, 'smooth');
    const model = f32Model(smoothedWeights(weights, smoothing));
    const found = await trainThree(model, smoothed, adapterUnits(start(), smoothing));
    for (const [i, { loss, norm }] of found.entries()) {
      expect(Math.abs(loss - expected[i]!.loss)).toBeLessThan(2e-5);
      expect(norm / expected[i]!.norm).toBeCloseTo(1, 3);
    }
    const back = scaleAdapter(smoothed, smoothing, 'unsmooth');
    expect(cosine(changes(back, start()), changes(plain, start()))).toBeGreaterThan(0.9999);
    // Without units the same rate means something else.
    const without = scaleAdapter(start(), smoothing, 'smooth');
    await trainThree(model, without);
    const other = scaleAdapter(without, smoothing, 'unsmooth');
    expect(cosine(changes(other, start()), changes(plain, start()))).toBeLessThan(0.9);
  });

  it('are given for what smoothing scales alone', () => {
    const names = adapterUnits(busyAdapter(config, { rank: 4, alpha: 8 }), smoothing).map((part) => Object.keys(part));
    expect(names[0]!.sort()).toEqual(['down.A', 'gateUp.A', 'gateUp.B.up', 'qkv.A']);
  });
});
