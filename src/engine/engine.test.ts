import { afterAll, describe, expect, it } from 'vitest';
import { plainLosses, plainModel } from '../../test/plain-decoder.ts';
import {
  adapterInFloat64,
  busyAdapter,
  differences,
  drawTree,
  inFloat64,
  loraOf,
  lossAndGradients,
  mean,
  SMALLEST,
  tinyWeights,
} from '../../test/tiny-models.ts';
import { f32Model } from '../model/runtime-model.ts';
import { attentionPieces } from './attention-pieces.ts';
import { Engine, type EngineSettings } from './engine.ts';
import { packSequences, type TokenSequence } from './pack.ts';

const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.release();
});

const weights = tinyWeights(SMALLEST);
const adapter = busyAdapter(weights.config, { rank: 2, alpha: 4 });
const wide = adapterInFloat64(adapter.layers);

/** An engine of the smallest model, in float64 unless told otherwise. */
function smallEngine(settings: EngineSettings = {}): Engine {
  const dtype = settings.dtype ?? 'float64';
  const model = f32Model(weights);
  const engine = new Engine(dtype === 'float64' ? inFloat64(model) : model, {
    dtype,
    lora: loraOf(adapter),
    threads: 1,
    ...settings,
  });
  engines.push(engine);
  return engine;
}

/**
 * A prefix of two attention blocks (> 128 rows), branches of one block and of two, more rows than one row block (256), more
 * labels than one head block (256), and labels that lie in the prefix, so that rows have several targets.
 */
const LARGE = drawTree(150, [140, 60, 30], 130);

describe('Engine in float64', () => {
  it('gives the losses of the plain decoder, sequence by sequence', async () => {
    const tree = drawTree(33, [9, 14], 12);
    const { losses } = await lossAndGradients(smallEngine(), packSequences(tree), wide);
    const plain = plainModel(weights, { layers: wide, ...loraOf(adapter) });
    const expected = tree.flatMap((sequence) => plainLosses(plain, sequence));
    expect(losses.length).toBe(expected.length);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-12);
  });

  it('has the head of its own weights where embeddings are not tied', async () => {
    const untied = tinyWeights({ ...SMALLEST, tieEmbeddings: false });
    const engine = new Engine(inFloat64(f32Model(untied)), { dtype: 'float64', threads: 1 });
    engines.push(engine);
    const [sequence] = drawTree(10, [10], 8) as [TokenSequence];
    const { losses } = await engine.loss(await engine.forward(packSequences([sequence]), [], false));
    const expected = plainLosses(plainModel(untied), sequence);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-12);
  });

  it('gives every gradient that central differences give', async () => {
    // Three sequences on one prefix of 32, and one that stands alone.
    const batch = [...drawTree(32, [3, 5, 2], 4), ...drawTree(12, [4], 6, 1)];
    const packed = packSequences(batch);
    expect(packed.segments.length).toBe(5);
    const engine = smallEngine();
    // A copy of its own: it is changed in place, and a test that runs out of time leaves it changed.
    const parameters = adapterInFloat64(adapter.layers);
    const { grads } = await lossAndGradients(engine, packed, parameters);
    const lossNow = async () => {
      return mean((await engine.loss(await engine.forward(packed, parameters, false))).losses);
    };
    // Error of a central difference: h^2 f''' / 6 + rounding / h, both about 1e-10 here.
    const h = 1e-5;
    const expected = [];
    for (const tensors of parameters) {
      const numeric: Record<string, number[]> = {};
      for (const [name, { data }] of Object.entries(tensors)) {
        const values = data as Float64Array;
        numeric[name] = [];
        for (let i = 0; i < values.length; i++) {
          const before = values[i]!;
          values[i] = before + h;
          const above = await lossNow();
          values[i] = before - h;
          const below = await lossNow();
          values[i] = before;
          numeric[name].push((above - below) / (2 * h));
        }
      }
      expected.push(numeric);
    }
    expect(differences(grads, expected, 1e-7)).toEqual([]);
    // Two passes for each of 928 parameters: half a minute on quiet cores.
  }, 600_000);

  it('gives shared prefixes the losses and gradients of separate rows', async () => {
    const engine = smallEngine();
    const shared = packSequences(LARGE);
    const separate = packSequences(LARGE, false);
    expect([shared.segments.length, separate.segments.length]).toEqual([4, 3]);
    expect(shared.rows).toBeGreaterThan(256);
    expect(shared.targets.length).toBeGreaterThan(256);
    const [a, b] = [await lossAndGradients(engine, shared, wide), await lossAndGradients(engine, separate, wide)];
    for (const [i, loss] of a.losses.entries()) expect(Math.abs(loss - b.losses[i]!)).toBeLessThan(1e-9);
    expect(differences(a.grads, b.grads, 1e-9)).toEqual([]);
  });

  it('gives long segments, whose attention is cut into pieces, the same wherever they are cut', async () => {
    const engine = smallEngine();
    const tree = drawTree(600, [100, 700], 50);
    // Pieces of the second sequence end at rows 320, 600, 984 and 1,300 in the tree, at 448, 896 and 1,300 without it.
    const [a, b] = [packSequences(tree), packSequences(tree, false)];
    expect([a, b].map((packed) => attentionPieces(packed, undefined).length)).toEqual([5, 5]);
    const [shared, separate] = [await lossAndGradients(engine, a, wide), await lossAndGradients(engine, b, wide)];
    for (const [i, loss] of shared.losses.entries()) expect(Math.abs(loss - separate.losses[i]!)).toBeLessThan(1e-9);
    expect(differences(shared.grads, separate.grads, 1e-9)).toEqual([]);
    const plain = plainModel(weights, { layers: wide, ...loraOf(adapter) });
    const expected = plainLosses(plain, tree[1]!);
    const { losses } = await lossAndGradients(engine, packSequences([tree[1]!]), wide);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-9);
  });

  it('gives a batch in one pass the gradients of one pass a sequence', async () => {
    const engine = smallEngine();
    const { losses, grads } = await lossAndGradients(engine, packSequences(LARGE), wide);
    const sums = grads.map((tensors) =>
      Object.fromEntries(Object.entries(tensors).map(([name, { length }]) => [name, new Float64Array(length)])),
    );
    const single: number[] = [];
    for (const sequence of LARGE) {
      const state = await engine.forward(packSequences([sequence]), wide, true);
      const weight = state.packed.targets.map(() => 1 / losses.length);
      const { losses: own, dy } = await engine.loss(state, weight);
      single.push(...own);
      await engine.backward(state, dy!, wide, sums);
    }
    for (const [i, loss] of single.entries()) expect(Math.abs(loss - losses[i]!)).toBeLessThan(1e-9);
    expect(differences(sums, grads, 1e-9)).toEqual([]);
  });
});

describe('Engine in float32', () => {
  it('gives shared prefixes the losses and gradients of separate rows to 1e-4', async () => {
    const engine = smallEngine({ dtype: 'float32' });
    const a = await lossAndGradients(engine, packSequences(LARGE), adapter.layers);
    const b = await lossAndGradients(engine, packSequences(LARGE, false), adapter.layers);
    for (const [i, loss] of a.losses.entries()) expect(Math.abs(loss - b.losses[i]!)).toBeLessThan(1e-4);
    expect(differences(a.grads, b.grads, 1e-4)).toEqual([]);
  });

  it.each([0, 1, 99])('gives the same bits with %i layers kept as with all', async (keptLayers) => {
    const packed = packSequences(LARGE);
    const all = await lossAndGradients(smallEngine({ dtype: 'float32' }), packed, adapter.layers);
    const some = await lossAndGradients(smallEngine({ dtype: 'float32', keptLayers }), packed, adapter.layers);
    expect(some).toEqual(all);
  });

  it('keeps what it is asked to, and gives it back as backward goes', async () => {
    const engine = smallEngine({ dtype: 'float32', keptLayers: 1 });
    const state = await engine.forward(packSequences(drawTree(8, [8], 4)), adapter.layers, true);
    expect(state.layers.map(({ kept }) => kept !== undefined)).toEqual([false, true]);
    const { dy } = await engine.loss(state, [1, 1, 1, 1]);
    await engine.backward(state, dy!, adapter.layers, [{}, {}]);
    expect(state.layers.map(({ kept }) => kept)).toEqual([undefined, undefined]);
    const bare = await engine.forward(packSequences(drawTree(8, [8], 4)), adapter.layers, false);
    expect(bare.layers).toEqual([]);
  });

  it('adds to gradients that are there already', async () => {
    const engine = smallEngine({ dtype: 'float32' });
    const packed = packSequences(drawTree(8, [8], 4));
    const { grads } = await lossAndGradients(engine, packed, adapter.layers);
    const twice = grads.map((tensors) =>
      Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, values.map((x) => 2 * x)])),
    );
    const state = await engine.forward(packed, adapter.layers, true);
    const { dy } = await engine.loss(state, [0.25, 0.25, 0.25, 0.25]);
    await engine.backward(state, dy!, adapter.layers, grads);
    expect(differences(grads, twice, 1e-7)).toEqual([]);
  });

  it('scales gradients by the weights of the targets', async () => {
    const engine = smallEngine({ dtype: 'float32' });
    const packed = packSequences(drawTree(8, [8, 8], 4));
    const state = await engine.forward(packed, adapter.layers, false);
    const one = await engine.loss(state, [0, 0, 0, 0, 1, 0, 0, 0]);
    const rows = packed.targets.map(({ row }) => one.dy!.subarray(16 * row, 16 * row + 16).some((x) => x !== 0));
    expect(rows).toEqual([false, false, false, false, true, false, false, false]);
    expect((await engine.loss(state)).dy).toBeUndefined();
  });

  it('runs a fresh adapter as no adapter', async () => {
    const model = f32Model(weights);
    const bare = new Engine(model, { threads: 1 });
    engines.push(bare);
    const packed = packSequences(drawTree(40, [8, 8], 4));
    const zero = adapter.layers.map((tensors) =>
      Object.fromEntries(
        Object.entries(tensors).map(([name, tensor]) => [
          name,
          name.endsWith('.A') ? tensor : { ...tensor, data: new Float32Array(tensor.data.length) },
        ]),
      ),
    );
    const beside = smallEngine({ dtype: 'float32' });
    const { losses } = await bare.loss(await bare.forward(packed, [], false));
    expect((await beside.loss(await beside.forward(packed, zero, false))).losses).toEqual(losses);
  });
});
