import { describe, expect, it } from 'vitest';
import { tinyFamily } from '../../test/tiny-families.ts';
import { tinyWeights } from '../../test/tiny-models.ts';
import { allWeights, hubTensors } from './all-weights.ts';
import { FAMILY_NAMES } from './families/families.ts';
import { f32Model } from './runtime-model.ts';

describe.each(FAMILY_NAMES)('hubTensors() of %s', (family) => {
  const weights = tinyWeights(tinyFamily(family));

  it('gives the weights that the model was made of', () => {
    const found = hubTensors(f32Model(weights));
    expect([...found.keys()].sort()).toEqual([...weights.tensors.keys()].sort());
    for (const [name, { shape, data }] of weights.tensors) {
      expect(found.get(name)!.shape, name).toEqual(shape);
      const off = found.get(name)!.data.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i]!)), 0);
      // Norms of Gemma are kept with 1 added, which costs their last bits.
      expect(off, name).toBeLessThanOrEqual(weights.config.normOffset === 0 ? 0 : 2 ** -24);
    }
  });
});

describe('allWeights()', () => {
  it('counts a tied head once, and gives the tensors of the model itself', () => {
    const tied = f32Model(tinyWeights({ tieEmbeddings: true }));
    expect(Object.keys(allWeights(tied).outer)).toEqual(['normFinal', 'embedding']);
    expect(allWeights(tied).layers).toBe(tied.layers);
    const untied = f32Model(tinyWeights({ tieEmbeddings: false }));
    expect(allWeights(untied).outer.head).toBe(untied.head);
  });
});
