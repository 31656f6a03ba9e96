import { afterAll, describe, expect, it } from 'vitest';
import { gridModel, plainHidden, plainModel } from '../../test/plain-decoder.ts';
import {
  busyAdapter,
  cosine,
  drawTree,
  loraOf,
  lossAndGradients,
  mean,
  smoothedWeights,
  tinyWeights,
} from '../../test/tiny-models.ts';
import { f32Model } from '../model/runtime-model.ts';
import { calibrate } from '../quantize/calibrate.ts';
import { trainableModel } from '../quantize/trainable-model.ts';
import { Engine } from './engine.ts';
import type { Heads } from './heads.ts';
import { type Packed, packSequences, type TokenSequence } from './pack.ts';

const weights = tinyWeights();
const { hiddenSize } = weights.config;
const adapter = busyAdapter(weights.config, { rank: 4, alpha: 8 });
const beside = { layers: adapter.layers, ...loraOf(adapter) };
const smoothing = await calibrate(weights, drawTree(60, [20], 8, 5), { smoothing: 0.5, threads: 1 });
const engine = new Engine(trainableModel(weights, smoothing), { lora: beside, threads: 1 });
/** The same function before rounding. */
const unrounded = new Engine(f32Model(smoothedWeights(weights, smoothing)), { lora: beside, threads: 1 });
afterAll(async () => {
  await engine.release();
  await unrounded.release();
});

/** Prefix and branches of more than one attention block, rows of more than one row block, labels inside the prefix. */
const TREE = drawTree(150, [140, 60, 30], 130);
const SHARED = packSequences(TREE);
const SEPARATE = packSequences(TREE, false);

const grads = async (one: Engine, packed: Packed) => (await lossAndGradients(one, packed, adapter.layers)).grads;

describe('Engine on the W8A8 grid', () => {
  it('computes a layer as the plain decoder does on the grid', async () => {
    const one = tinyWeights({ layers: 1 });
    const layer = { ...beside, layers: adapter.layers.slice(0, 1) };
    const single = new Engine(trainableModel(one, smoothing.slice(0, 1)), { lora: layer, threads: 1 });
    const [{ tokens }] = drawTree(40, [40], 8) as [TokenSequence];
    const packed = packSequences([{ tokens, labelsFrom: 40 }]);
    const { hidden } = await single.forward(packed, layer.layers, false);
    await single.release();
    const distances = (rows: readonly (readonly number[])[]) =>
      rows.flatMap((row, i) => row.map((x, j) => Math.abs(x - hidden[i * hiddenSize + j]!))).sort((a, b) => a - b);
    const grid = distances(plainHidden(gridModel(one, smoothing, layer), tokens));
    // Off by f32 rounding; where that tips a value over a rounding border of the grid, the token is off by a step of it.
    expect(grid[Math.floor(0.9 * grid.length)]).toBeLessThan(1e-5);
    expect(grid.at(-1)).toBeLessThan(0.05);
    // The grid itself is far coarser: an engine that did not round would be found out.
    const exact = distances(plainHidden(plainModel(smoothedWeights(one, smoothing.slice(0, 1)), layer), tokens));
    expect(exact[Math.floor(0.5 * exact.length)]).toBeGreaterThan(1e-3);
  });

  it('gives tokens in shared prefixes the same bits as in separate rows, as each has a grid of its own', async () => {
    const [a, b] = [
      await engine.forward(SHARED, adapter.layers, true),
      await engine.forward(SEPARATE, adapter.layers, true),
    ];
    for (const name of ['q', 'k', 'v'] as const) {
      const found = tokenRows(SHARED, a.layers[0]!.kept![name]);
      expect(found).toEqual(tokenRows(SEPARATE, b.layers[0]!.kept![name]));
      expect(found.length).toBe(3 * 150 + 140 + 60 + 30);
    }
    // Attention sums over other blocks of keys, so that from there on f32 rounding may differ, and with it, rarely, a
    // code (one step of 1/127.5 of a token's largest value). Per-tensor grids would differ by several percent.
    const [shared, separate] = [(await engine.loss(a)).losses, (await engine.loss(b)).losses];
    for (const [i, loss] of shared.entries()) expect(Math.abs(loss - separate[i]!)).toBeLessThan(0.02);
    expect(Math.abs(mean(shared) - mean(separate))).toBeLessThan(1e-3);
  });

  it('gives shared prefixes the gradients of separate rows but for the rounding of dX', async () => {
    // A shared row's gradient is summed over its branches and rounded once; separate rows are rounded one by one.
    const [shared, separate] = [await grads(engine, SHARED), await grads(engine, SEPARATE)];
    expect(cosine(shared, separate)).toBeGreaterThan(0.999);
    const exact = await grads(unrounded, SEPARATE);
    expect(cosine(shared, exact)).toBeGreaterThan(cosine(separate, exact) - 1e-3);
  });

  it('gives the losses and gradients of the unrounded model to within the grid', async () => {
    const a = await lossAndGradients(engine, SHARED, adapter.layers);
    const b = await lossAndGradients(unrounded, SHARED, adapter.layers);
    expect(Math.abs(a.loss - b.loss)).toBeLessThan(0.02);
    expect(a.loss).not.toBe(b.loss);
    expect(cosine(a.grads, b.grads)).toBeGreaterThan(0.99);
  });
});

/** Each token's row in all heads, sequence by sequence. */
function tokenRows({ segments, lastRows }: Packed, heads: Heads): number[][] {
  const row = (i: number) =>
    Array.from({ length: heads.count }, (_, head) => Array.from(heads.of(head, i, 1).data as Float32Array)).flat();
  return lastRows.flatMap((last) => {
    const segment = segments.find(({ start, rows: length }) => start <= last && last < start + length)!;
    const { start, prefixStart, prefixRows } = segment;
    return [
      ...Array.from({ length: prefixRows }, (_, i) => row(prefixStart + i)),
      ...Array.from({ length: last - start + 1 }, (_, i) => row(start + i)),
    ];
  });
}
