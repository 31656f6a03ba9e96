import { afterAll, describe, expect, it } from 'vitest';
import { drawTree, mean, SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import { InterruptedError } from '../foundation/errors.ts';
import { f32Model } from '../model/runtime-model.ts';
import { Engine } from './engine.ts';
import { evaluateLoss, tokenLosses } from './evaluate.ts';
import { packSequences } from './pack.ts';

const engine = new Engine(f32Model(tinyWeights(SMALLEST)), { threads: 1 });
afterAll(() => engine.release());

describe('evaluateLoss()', () => {
  it('is the mean over all labels, in however many passes', async () => {
    // 3 x 1,500 and 20 tokens: two passes of at most 4,096.
    const samples = [...drawTree(1400, [100, 100, 100], 9), ...drawTree(10, [10], 3, 1)];
    const found = await evaluateLoss(engine, [], samples);
    const { losses } = await engine.loss(await engine.forward(packSequences(samples), [], false));
    expect(losses.length).toBe(30);
    expect(Math.abs(found - mean(losses))).toBeLessThan(1e-5);
  });

  it('takes a sample that is longer than a pass', async () => {
    expect(await evaluateLoss(engine, [], drawTree(4097, [3], 2))).toBeGreaterThan(0);
  });

  it('stops when asked to', async () => {
    await expect(evaluateLoss(engine, [], drawTree(9, [3], 2), AbortSignal.abort())).rejects.toThrow(InterruptedError);
  });
});

describe('tokenLosses()', () => {
  it('gives every token but the first its own loss, whatever the samples share and in however many passes', async () => {
    const samples = [...drawTree(60, [7, 40, 21], 9), ...drawTree(4000, [9], 3, 1)].map(({ tokens }) => ({
      tokens,
      labelsFrom: 1,
    }));
    const all: number[][] = [];
    for await (const losses of tokenLosses(engine, [], samples)) all.push(losses);
    expect(all.map(({ length }) => length)).toEqual(samples.map(({ tokens }) => tokens.length - 1));
    for (const i of [0, 1, 2]) {
      const alone = await engine.loss(await engine.forward(packSequences([samples[i]!], false), [], false));
      for (const [j, loss] of all[i]!.entries()) expect(Math.abs(loss - alone.losses[j]!)).toBeLessThan(1e-4);
    }
  });
});
