import { describe, expect, it } from 'vitest';
import { plainHidden, plainModel } from '../../test/plain-decoder.ts';
import { busyAdapter, drawTree, loraOf, SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import type { LinearName } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { groupWeight } from '../model/runtime-model.ts';
import { calibrate, calibrationSamples } from './calibrate.ts';
import { smoothingScales } from './smooth-quant.ts';

const weights = tinyWeights(SMALLEST);
const adapter = busyAdapter(weights.config, { rank: 2, alpha: 4 });
const samples = drawTree(33, [5, 11, 2], 2);

/** Scales from the largest inputs the plain decoder gives its linears. */
function plainScales(withAdapter: boolean, alpha: number, alphaDown: number) {
  const largest = new Map<string, number[]>();
  const model = plainModel(weights, withAdapter ? { layers: adapter.layers, ...loraOf(adapter) } : undefined);
  const watched = {
    ...model,
    linear: (layer: number, name: LinearName, x: readonly number[]) => {
      const known = largest.get(`${layer} ${name}`) ?? x.map(() => 0);
      largest.set(
        `${layer} ${name}`,
        x.map((value, i) => Math.max(known[i]!, Math.abs(value))),
      );
      return model.linear(layer, name, x);
    },
  };
  for (const { tokens } of samples) plainHidden(watched, tokens);
  const groups = linearGroups(weights.config);
  const scales = (layer: number, name: LinearName, group: 'qkv' | 'gateUp' | 'down', strength = alpha) =>
    smoothingScales(
      Float32Array.from(largest.get(`${layer} ${name}`)!),
      groupWeight(weights, layer, groups[group]),
      strength,
    );
  return Array.from({ length: weights.config.layers }, (_, layer) => ({
    qkv: scales(layer, 'q', 'qkv'),
    gateUp: scales(layer, 'gate', 'gateUp'),
    down: scales(layer, 'down', 'down', alphaDown),
  }));
}

describe('calibrate()', () => {
  it.each([false, true])(
    'finds the largest activation of each channel (adapter: %s), padding left out',
    async (used) => {
      const lora = { layers: adapter.layers, ...loraOf(adapter) };
      const found = await calibrate(weights, samples, {
        smoothing: 0.7,
        smoothingDown: 0.4,
        threads: 1,
        ...(used ? { adapter: lora } : {}),
      });
      for (const [layer, expected] of plainScales(used, 0.7, 0.4).entries()) {
        for (const group of ['qkv', 'gateUp', 'down'] as const) {
          for (const [i, scale] of found[layer]![group]!.entries()) {
            expect(Math.abs(scale / expected[group][i]! - 1)).toBeLessThan(1e-5);
          }
        }
      }
    },
  );

  it('looks at samples of every pass', async () => {
    const long = drawTree(1500, [40, 50, 60], 2);
    const apart = await Promise.all(long.map((one) => calibrate(weights, [one], { smoothing: 1, threads: 1 })));
    const whole = await calibrate(weights, long, { smoothing: 1, threads: 1 });
    // With strength 1 the scales are the largest activations themselves.
    for (const [i, scale] of whole[1]!.gateUp.entries()) {
      const most = Math.max(...apart.map((one) => one[1]!.gateUp[i]!));
      expect(Math.abs(scale / most - 1)).toBeLessThan(1e-4);
    }
  });
});

describe('calibrationSamples()', () => {
  const list = (documents: number, each: number) =>
    Array.from({ length: documents * each }, (_, i) => ({ docId: `d${Math.floor(i / each)}`, i }));

  it('takes whole documents from all over the list, and at least the samples asked for', () => {
    const chosen = calibrationSamples(list(10, 6), 12);
    expect(chosen.map(({ docId }) => docId)).toEqual([...Array(6).fill('d0'), ...Array(6).fill('d5')]);
    expect(calibrationSamples(list(10, 6), 13).length).toBe(18);
  });

  it('takes all where there are fewer', () => {
    expect(calibrationSamples(list(2, 3), 12)).toEqual(list(2, 3));
  });
});
