import { afterAll, describe, expect, it } from 'vitest';
import { drawTree, mean, SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import { InterruptedError } from '../foundation/errors.ts';
import { f32Model } from '../model/runtime-model.ts';
import { Engine } from './engine.ts';
import { evaluateLoss } from './evaluate.ts';
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
