/** Every family in float64 against the plain decoder, and shared prefixes against separate rows. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainLosses, plainModel } from '../../test/plain-decoder.ts';
import { tinyFamily } from '../../test/tiny-families.ts';
import {
  adapterInFloat64,
  busyAdapter,
  differences,
  drawTree,
  inFloat64,
  loraOf,
  lossAndGradients,
  tinyWeights,
} from '../../test/tiny-models.ts';
import type { ModelWeights } from '../model/config.ts';
import { FAMILY_NAMES } from '../model/families/families.ts';
import { f32Model } from '../model/runtime-model.ts';
import { Engine, type LayerAdapter } from './engine.ts';
import { packSequences } from './pack.ts';

describe.each(FAMILY_NAMES.filter((name) => name !== 'llama'))('Engine of %s in float64', (family) => {
  let weights: ModelWeights;
  let engine: Engine;
  let wide: LayerAdapter[];
  let lora: ReturnType<typeof loraOf>;
  beforeAll(() => {
    weights = tinyWeights(tinyFamily(family));
    const adapter = busyAdapter(weights.config, { rank: 2, alpha: 4 });
    wide = adapterInFloat64(adapter.layers);
    lora = loraOf(adapter);
    engine = new Engine(inFloat64(f32Model(weights)), { dtype: 'float64', lora, threads: 1 });
  });
  afterAll(() => engine.release());

  it('gives the losses of the plain decoder', async () => {
    // Longer than the window, and branches that see the end of their prefix through it.
    const tree = drawTree(33, [9, 14], 12);
    const { losses } = await lossAndGradients(engine, packSequences(tree), wide);
    const expected = tree.flatMap((sequence) => plainLosses(plainModel(weights, { layers: wide, ...lora }), sequence));
    expect(losses.length).toBe(expected.length);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-12);
  });

  it('gives shared prefixes the losses and gradients of separate rows', async () => {
    const tree = drawTree(130, [140, 9, 14], 12);
    const shared = await lossAndGradients(engine, packSequences(tree), wide);
    const separate = await lossAndGradients(engine, packSequences(tree, false), wide);
    for (const [i, loss] of shared.losses.entries()) expect(Math.abs(loss - separate.losses[i]!)).toBeLessThan(1e-9);
    expect(differences(shared.grads, separate.grads, 1e-9)).toEqual([]);
  });
});
