import { describe, expect, it } from 'vitest';
import { drawNormal } from '../../test/op-case.ts';
import { evaluate, toDense } from '../../test/reference.ts';
import { smoothedWeights, tinyWeights, wildSmoothing } from '../../test/tiny-models.ts';
import { gradient } from '../graph/gradient.ts';
import { GraphBuilder } from '../graph/graph.ts';
import type { LinearName } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { linear } from '../model/linear.ts';
import { partWeight, type RuntimeModel } from '../model/runtime-model.ts';
import { noSmoothing, quantizedModel, type Smoothing } from './smooth-quant.ts';
import { trainableModel } from './trainable-model.ts';

const weights = tinyWeights();
const { config } = weights;
const groups = Object.values(linearGroups(config));
/** Powers of two, which scale without rounding. */
const smoothing: Smoothing = wildSmoothing(config).map(({ qkv, gateUp, down }) => {
  const whole = (scales: Float32Array) => scales.map((s) => 2 ** Math.round(Math.log2(s)));
  return { qkv: whole(qkv), gateUp: whole(gateUp), down: whole(down!) };
});

/** dX of layer 1's linears, by group, for gradients dy of the plain base's outputs. */
function inputGradients({ layers }: RuntimeModel, down: Float32Array | undefined) {
  return groups.map((group) => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [4, group.inputs]);
    const ys = linear(g, x, group, { precision: 'w8a8' });
    const seeds = group.parts.map(({ name, outputs }) => g.input(`dy.${name}`, 'float32', [4, outputs]));
    const [dx] = gradient(g, ys, seeds, [x]);
    const dy = group.parts.map(({ name, outputs }) => {
      const { shape, data } = toDense(drawNormal([4, outputs], 'float32', 'dy', name));
      // The gradient of what is 1 / s of the plain output.
      const scaled = name === 'up' && down ? data.map((value, i) => value * down[i % outputs]!) : data;
      return [`dy.${name}`, { shape, data: scaled }] as const;
    });
    const fed = Object.entries(layers[1]!).map(([name, tensor]) => [name, toDense(tensor)] as const);
    return [...evaluate([dx!], { ...Object.fromEntries(fed), ...Object.fromEntries(dy) })[0]!.data];
  });
}

describe('trainableModel()', () => {
  const model = trainableModel(weights, smoothing);

  it('is what is deployed, and more only for the way back', () => {
    const deployed = quantizedModel(weights, smoothing);
    for (const [layer, tensors] of model.layers.entries()) {
      const forward = Object.entries(tensors).filter(([name]) => !name.includes('.back.'));
      expect(Object.fromEntries(forward)).toEqual(deployed.layers[layer]);
    }
  });

  it('rounds the smoothed weights by half a step of their input channel at most', () => {
    const smoothed = smoothedWeights(weights, smoothing);
    for (const [layer, tensors] of model.layers.entries()) {
      const of = (name: LinearName, kind: string) => tensors[`${name}.back.${kind}`]?.data as Float32Array | undefined;
      for (const group of groups) {
        for (const part of group.parts) {
          const codes = of(part.name, 'int8')!;
          const scale = of(part.name, 'scale')!;
          const off = partWeight(smoothed, layer, group, part).map((w, i) => {
            const unit = of(part.name, 'units')?.[Math.floor(i / group.inputs)] ?? 1;
            const step = unit * scale[i % group.inputs]!;
            return Math.abs(unit * codes[i]! * scale[i % group.inputs]! - w) / step;
          });
          expect(Math.max(...off)).toBeLessThanOrEqual(0.5 + 2e-5);
        }
      }
    }
  });

  it('gives the plain input the same gradient, bit by bit, however the base is smoothed', () => {
    const plain = inputGradients(trainableModel(weights, noSmoothing(weights)), undefined);
    const { qkv, gateUp, down } = smoothing[1]!;
    const found = inputGradients(model, down);
    for (const [i, { name, inputs }] of groups.entries()) {
      const scales = { qkv, gateUp, down, o: undefined }[name];
      // What is read is x / s, so that dx = d(x / s) / s.
      expect(found[i]!.map((value, j) => value / (scales?.[j % inputs] ?? 1))).toEqual(plain[i]);
      expect(plain[i]!.some((value) => value !== 0)).toBe(true);
    }
  });
});
