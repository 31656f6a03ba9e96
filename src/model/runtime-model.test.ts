import { describe, expect, it } from 'vitest';
import { tinyWeights } from '../../test/tiny-models.ts';
import { LINEAR_NAMES } from './config.ts';
import { linearGroups } from './decoder-layer.ts';
import { f32Model, groupWeight, weightOf } from './runtime-model.ts';

const weights = tinyWeights();
const { config } = weights;

it('groupWeight() puts the weights that share their input one below the other', () => {
  for (const group of Object.values(linearGroups(config))) {
    const parts = group.parts.map(({ name }) => weights.tensors.get(`model.layers.1.${LINEAR_NAMES[name]}.weight`)!);
    expect([...groupWeight(weights, 1, group)]).toEqual(parts.flatMap(({ data }) => [...data]));
  }
});

describe('f32Model()', () => {
  it('feeds each layer its norms and linears', () => {
    const { layers, precision } = f32Model(weights);
    expect(precision).toBe('f32');
    expect(layers.length).toBe(2);
    const shapes = Object.fromEntries(Object.entries(layers[0]!).map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({
      norm1: [64],
      norm2: [64],
      'q.weight': [64, 64],
      'k.weight': [32, 64],
      'v.weight': [32, 64],
      'o.weight': [64, 64],
      'gate.weight': [160, 64],
      'up.weight': [160, 64],
      'down.weight': [64, 160],
    });
  });

  it('shares the embedding with the head where they are tied, and only there', () => {
    const tied = f32Model(weights);
    expect(tied.head).toBe(tied.embedding);
    const untied = tinyWeights({ tieEmbeddings: false });
    expect(f32Model(untied).head.data).toBe(untied.tensors.get('lm_head.weight')!.data);
  });
});

it('weightOf() names a tensor that is missing or misshapen', () => {
  expect(() => weightOf(weights, 'model.missing', [1])).toThrow('Cannot find tensor model.missing');
  expect(() => weightOf(weights, 'model.norm.weight', [65])).toThrow('its shape is [64], the config asks for [65]');
});
