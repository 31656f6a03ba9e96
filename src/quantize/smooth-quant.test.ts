import { describe, expect, it } from 'vitest';
import { engineLogits, largestDistance } from '../../test/engine-logits.ts';
import { drawTokens, smoothedWeights, tinyWeights, wildSmoothing } from '../../test/tiny-models.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { f32Model, partWeight } from '../model/runtime-model.ts';
import { noSmoothing, quantizedModel, smoothingScales } from './smooth-quant.ts';

const weights = tinyWeights();
const { config } = weights;
const smoothing = wildSmoothing(config);

describe('smoothingScales()', () => {
  const weight = Float32Array.of(1, -4, 0.5, 2, 3, 0);

  it('balances activations and weights by the migration strength', () => {
    const absmax = Float32Array.of(8, 9, 2);
    // Largest |W| by column: 2, 4, 0.5.
    expect([...smoothingScales(absmax, weight, 0.5)]).toEqual(
      [8 ** 0.5 / 2 ** 0.5, 9 ** 0.5 / 4 ** 0.5, 2 ** 0.5 / 0.5 ** 0.5].map(Math.fround),
    );
    expect([...smoothingScales(absmax, weight, 1)]).toEqual([8, 9, 2]);
    expect([...smoothingScales(absmax, weight, 0)]).toEqual([0.5, 0.25, 2]);
  });

  it('leaves channels alone that nothing goes through', () => {
    expect([...smoothingScales(Float32Array.of(0, 1), Float32Array.of(1, 0), 0.5)]).toEqual([1, 1]);
  });

  it('has a floor', () => {
    expect(smoothingScales(Float32Array.of(1e-20), Float32Array.of(1), 0.5)[0]).toBe(Math.fround(1e-5));
  });
});

describe('quantizedModel()', () => {
  it('rounds each smoothed weight by half a step of its output channel at most', () => {
    const smoothed = smoothedWeights(weights, smoothing);
    const { layers, precision } = quantizedModel(weights, smoothing);
    expect(precision).toBe('w8a8');
    for (const [layer, tensors] of layers.entries()) {
      for (const group of Object.values(linearGroups(config))) {
        for (const part of group.parts) {
          const expected = partWeight(smoothed, layer, group, part);
          const { shape, data: codes } = tensors[`${part.name}.int8`]!;
          const scale = tensors[`${part.name}.scale`]!.data as Float32Array;
          const off = expected.map((w, i) => {
            const [output, input] = [Math.floor(i / group.inputs), i % group.inputs];
            const step = scale[output]!;
            return Math.abs(Number(codes[input * part.outputs + output]) * step - w) / step;
          });
          expect(Math.max(...off)).toBeLessThanOrEqual(0.5 + 2e-5);
          expect(shape).toEqual([group.inputs, part.outputs]);
        }
      }
    }
  });

  it('divides the norms by the scales, and leaves embedding, head and final norm as they are', () => {
    const model = quantizedModel(weights, smoothing);
    const plain = f32Model(weights);
    for (const [layer, { norm1, norm2 }] of model.layers.entries()) {
      const before = plain.layers[layer]!;
      const { qkv, gateUp } = smoothing[layer]!;
      expect(norm1!.data).toEqual((before.norm1!.data as Float32Array).map((w, i) => w / qkv[i]!));
      expect(norm2!.data).toEqual((before.norm2!.data as Float32Array).map((w, i) => w / gateUp[i]!));
    }
    expect([model.embedding, model.head, model.normFinal]).toEqual([plain.embedding, plain.head, plain.normFinal]);
  });

  it('without smoothing rounds the weights alone', () => {
    const { layers } = quantizedModel(weights, noSmoothing(weights));
    expect(layers[0]!.norm1!.data).toEqual(f32Model(weights).layers[0]!.norm1!.data);
  });
});

describe('smoothing', () => {
  it('leaves the f32 function as it was', async () => {
    const tokens = drawTokens(40, 'smoothing');
    const before = await engineLogits(f32Model(weights), tokens);
    const after = await engineLogits(f32Model(smoothedWeights(weights, smoothing)), tokens);
    for (const [i, row] of after.logits.entries()) expect(largestDistance(row, before.logits[i]!)).toBeLessThan(5e-5);
  });
});
