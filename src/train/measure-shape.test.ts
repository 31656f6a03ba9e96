import { expect, it } from 'vitest';
import { tinyFamily } from '../../test/tiny-families.ts';
import { drawTree, tinyWeights } from '../../test/tiny-models.ts';
import type { ModelConfig } from '../model/config.ts';
import { recipeSchema } from '../recipe/schema.ts';
import { measureShape } from './measure-shape.ts';

const signal = new AbortController().signal;
const samples = drawTree(40, [12, 16], 8).map((sequence, i) => ({ ...sequence, id: `${i}`, docId: 'one' }));
const { config } = tinyWeights(tinyFamily('gemma3_text'));

function measured(of: ModelConfig, settings: Record<string, unknown>, keptLayers = of.layers) {
  const train = recipeSchema.shape.train.parse({ model: 'none', threads: 1, ...settings });
  return measureShape(of, samples, train, { seed: 0, keptLayers, lanes: 1, signal });
}

it.each([{ precision: 'w8a8' }, { precision: 'f32' }, { precision: 'f32', method: 'full' }])(
  'runs layers of both kinds with random weights: %o',
  async (settings) => {
    const seconds = await measured(config, settings);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(Number.POSITIVE_INFINITY);
  },
);

it('counts what it ran for all layers', async () => {
  const many = 2000;
  const sliding = { ...config.sliding!, layers: Array.from({ length: many }, (_, i) => i % 6 !== 5) };
  const few = await measured(config, {});
  const all = await measured({ ...config, layers: many, sliding }, {}, 0);
  // A thousand times as many layers, beside one head; a busy machine may take ten times as long for either.
  expect(all / few).toBeGreaterThan(20);
});
