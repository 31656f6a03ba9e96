import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDistance } from '../../test/engine-logits.ts';
import type { AdapterStudent } from '../../test/export-setup.ts';
import {
  busyAdapter,
  differences,
  drawTree,
  loraOf,
  lossAndGradients,
  mean,
  smoothedWeights,
  tinyWeights,
} from '../../test/tiny-models.ts';
import { Engine } from '../engine/engine.ts';
import { packSequences } from '../engine/pack.ts';
import type { Adapter } from '../model/adapter.ts';
import { f32Model } from '../model/runtime-model.ts';
import { recipeSchema } from '../recipe/schema.ts';
import { calibrate } from './calibrate.ts';
import { quantizedModel, type Smoothing } from './smooth-quant.ts';
import { type AdaptedModel, f32Student, scaleAdapter, w8a8Student } from './student-model.ts';

const weights = tinyWeights();
/** Trained beside the smoothed, rounded base. */
const trained = busyAdapter(weights.config, { rank: 4, alpha: 8 });
const packed = packSequences(drawTree(40, [20, 30], 12));
let smoothing: Smoothing;
let student: AdapterStudent;

const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.release();
});
beforeAll(async () => {
  smoothing = await calibrate(weights, drawTree(50, [20], 2, 3), { smoothing: 0.5, threads: 1 });
  student = {
    name: 'writer',
    settings: recipeSchema.shape.train.parse({}),
    weights,
    modelFolder: '',
    sha256: '',
    adapter: scaleAdapter(trained, smoothing, 'unsmooth'),
    smoothing,
  };
});

async function lossesOf({ model, adapter }: AdaptedModel): Promise<Float32Array> {
  const engine = new Engine(model, { threads: 1, ...(adapter ? { lora: adapter } : {}) });
  engines.push(engine);
  const { losses } = await engine.loss(await engine.forward(packed, adapter?.layers ?? [], false));
  return losses as Float32Array;
}

const dataOf = (adapter: Adapter) =>
  adapter.layers.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, { data }]) => [name, data as Float32Array])),
  );

describe('scaleAdapter()', () => {
  it('smooths what it unsmoothed', () => {
    const back = scaleAdapter(scaleAdapter(trained, smoothing, 'unsmooth'), smoothing, 'smooth');
    // A product and a division in f32 each round once.
    expect(differences(dataOf(back), dataOf(trained), 2e-7)).toEqual([]);
  });

  it('divides the rows of A that read what is smoothed, multiplies the columns of up, and changes nothing else', () => {
    const found = scaleAdapter(trained, smoothing, 'unsmooth');
    for (const [layer, tensors] of trained.layers.entries()) {
      for (const [name, { data, shape }] of Object.entries(tensors)) {
        const { qkv, gateUp, down } = smoothing[layer]!;
        const rows = { 'qkv.A': qkv, 'gateUp.A': gateUp, 'down.A': down }[name];
        const columns = name === 'gateUp.B.up' ? down! : undefined;
        const expected = (data as Float32Array).map(
          (x, i) => (x / (rows?.[Math.floor(i / shape[1]!)] ?? 1)) * (columns?.[i % shape[1]!] ?? 1),
        );
        expect(found.layers[layer]![name]!.data, name).toEqual(expected);
      }
    }
  });
});

describe('f32Student()', () => {
  it('computes what the smoothed base with the trained adapter does before rounding', async () => {
    const smoothed = f32Model(smoothedWeights(weights, smoothing));
    const before = await lossesOf({ model: smoothed, adapter: { layers: trained.layers, ...loraOf(trained) } });
    expect(largestDistance(await lossesOf(f32Student(student)), before)).toBeLessThan(5e-5);
  });
});

describe('w8a8Student()', () => {
  it('beside computes what was trained', async () => {
    const beside = w8a8Student(student, 'beside');
    const model = quantizedModel(weights, smoothing);
    expect(beside.model).toEqual(model);
    const expected = await lossesOf({ model, adapter: { layers: trained.layers, ...loraOf(trained) } });
    // A comes back from its file's unsmoothed form with the last bit in doubt, which may move a code by one.
    const found = await lossesOf(beside);
    expect(largestDistance(found, expected)).toBeLessThan(0.02);
    expect(Math.abs(mean(found) - mean(expected))).toBeLessThan(2e-3);
  });

  it('merged is near, but not the same: its weights were rounded again', async () => {
    const [merged, beside] = [w8a8Student(student, 'merged'), w8a8Student(student, 'beside')];
    expect(merged.adapter).toBeUndefined();
    const [a, b] = [await lossesOf(merged), await lossesOf(beside)];
    expect(a).not.toEqual(b);
    expect(Math.abs(mean(a) - mean(b))).toBeLessThan(0.1);
  });

  it('is refused before calibration', () => {
    expect(() => w8a8Student({ ...student, smoothing: undefined }, 'beside')).toThrow(
      'Cannot quantize student writer: it is not calibrated',
    );
  });
});

describe('an adapter', () => {
  it('has the same gradients smoothed and unsmoothed, but for the scales of its rows', async () => {
    const smoothed = new Engine(f32Model(smoothedWeights(weights, smoothing)), { lora: loraOf(trained), threads: 1 });
    const plain = new Engine(f32Model(weights), { lora: loraOf(trained), threads: 1 });
    engines.push(smoothed, plain);
    const a = await lossAndGradients(smoothed, packed, trained.layers);
    const b = await lossAndGradients(plain, packed, student.adapter.layers);
    // Of the smoothed adapter A' = A s and B' = B / s: dL/dA' = dL/dA / s, dL/dB' = s dL/dB.
    const scaled = b.grads.map((tensors, layer) =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, values]) => {
          const { qkv, gateUp, down } = smoothing[layer]!;
          const rows = { 'qkv.A': qkv, 'gateUp.A': gateUp, 'down.A': down }[name];
          const columns = name === 'gateUp.B.up' ? down! : undefined;
          const width = trained.layers[layer]![name]!.shape[1]!;
          return [name, values.map((g, i) => (g / (rows?.[Math.floor(i / width)] ?? 1)) * (columns?.[i % width] ?? 1))];
        }),
      ),
    );
    expect(differences(scaled, a.grads, 1e-4)).toEqual([]);
  });
});
