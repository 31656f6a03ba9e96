/** Gradients of all weights in float64, family by family, against central differences. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences, drawTree, inFloat64, mean, tinyWeights, zeroGradients } from '../../test/tiny-models.ts';
import { randomStream } from '../foundation/random.ts';
import { allWeights } from '../model/all-weights.ts';
import { FAMILY_NAMES } from '../model/families/families.ts';
import { f32Model, type RuntimeModel } from '../model/runtime-model.ts';
import { Engine, type OuterGradients } from './engine.ts';
import { type Packed, packSequences, type TokenSequence } from './pack.ts';

/** Small enough for a difference at every element of a layer; heads of 4 where the family has no size of its own. */
const SIZE = { hiddenSize: 8, intermediateSize: 12, heads: 2, kvHeads: 1, layers: 2, maxPositions: 128 };

/** Three sequences on one prefix of 32, and one that stands alone. Few tokens, each in several rows; one is the padding's. */
const BATCH = [...drawTree(32, [3, 5, 2], 4), ...drawTree(12, [4], 6, 1)].map(
  ({ tokens, labelsFrom }): TokenSequence => ({ tokens: Array.from(tokens, (token) => token % 11), labelsFrom }),
);

/** Thousands of runs, on a machine that may be busy with other tests. */
const BUSY_MS = 600_000;

async function allGradients(engine: Engine, packed: Packed): Promise<Record<string, Float64Array>[]> {
  const { layers, outer } = allWeights(engine.model);
  const grads = zeroGradients([...layers, outer], (length) => new Float64Array(length));
  const outerGrads = grads.at(-1) as unknown as OuterGradients;
  const state = await engine.forward(packed, [], true);
  const weights = packed.targets.map(() => 1 / packed.targets.length);
  const { dy } = await engine.loss(state, weights, outerGrads);
  await engine.backward(state, dy!, [], grads, outerGrads);
  return grads;
}

const VARIANTS = [
  ...FAMILY_NAMES.map((family) => ({ family, tieEmbeddings: true })),
  { family: 'llama', tieEmbeddings: false } as const,
];

/**
 * Every element of a vector; of a matrix directions in which all its elements move, so that a wrong one anywhere shows.
 */
function directions(length: number, key: string): Float64Array[] {
  if (length <= 2 * SIZE.hiddenSize) {
    return Array.from({ length }, (_, at) => Float64Array.from({ length }, (_, i) => Number(i === at)));
  }
  return Array.from({ length: 6 }, (_, k) => {
    const random = randomStream('direction', key, k);
    return Float64Array.from({ length }, () => 2 * random.uniform() - 1);
  });
}

describe.each(VARIANTS)('Engine that trains all weights of $family, tied: $tieEmbeddings', (variant) => {
  let model: RuntimeModel;
  let engine: Engine;
  const packed = packSequences(BATCH);
  beforeAll(() => {
    model = inFloat64(f32Model(tinyWeights({ ...SIZE, ...variant })));
    engine = new Engine(model, { dtype: 'float64', full: true, threads: 1 });
  });
  afterAll(() => engine.release());

  const lossNow = async () => mean((await engine.loss(await engine.forward(packed, [], false))).losses);

  /**
   * Central difference along a direction, (8 d(h) - d(2h)) / (12 h) with d(h) = f(h) - f(-h): norms of eight numbers bend too
   * much for a simple one. Error: h^4 f^(5) / 30 + rounding / h.
   */
  async function slope(values: Float64Array, direction: Float64Array): Promise<number> {
    const h = 3e-5;
    const before = values.slice();
    const moved = async (by: number) => {
      for (let i = 0; i < values.length; i++) values[i] = before[i]! + by * direction[i]!;
      return lossNow();
    };
    const across = async (by: number) => (await moved(by)) - (await moved(-by));
    const found = (8 * (await across(h)) - (await across(2 * h))) / (12 * h);
    values.set(before);
    return found;
  }

  it(
    'gives every gradient that central differences give',
    async () => {
      expect(packed.segments.length).toBe(5);
      const grads = await allGradients(engine, packed);
      const { layers, outer } = allWeights(model);
      const found: Record<string, number[]>[] = [];
      const expected: Record<string, number[]>[] = [];
      for (const [part, tensors] of [...layers, outer].entries()) {
        const [own, numeric]: Record<string, number[]>[] = [{}, {}];
        for (const [name, { data }] of Object.entries(tensors)) {
          own![name] = [];
          numeric![name] = [];
          for (const direction of directions(data.length, `${part} ${name}`)) {
            own![name].push(grads[part]![name]!.reduce((sum, gradient, i) => sum + gradient * direction[i]!, 0));
            numeric![name].push(await slope(data as Float64Array, direction));
          }
        }
        found.push(own!);
        expected.push(numeric!);
      }
      expect(differences(found, expected, 1e-7)).toEqual([]);
    },
    BUSY_MS,
  );

  it(
    'gives the same where layers compute their activations again, and where rows are not shared',
    async () => {
      const kept = await allGradients(engine, packed);
      const again = new Engine(model, { dtype: 'float64', full: true, threads: 1, keptLayers: 0 });
      expect(differences(await allGradients(again, packed), kept, 1e-12)).toEqual([]);
      expect(differences(await allGradients(again, packSequences(BATCH, false)), kept, 1e-9)).toEqual([]);
      await again.release();
    },
    BUSY_MS,
  );
});
