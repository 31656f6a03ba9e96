import { describe, expect, it } from 'vitest';
import { bestDevLoss } from './best-dev-loss.ts';

const dev = (step: number, dev_loss: number) => ({ step, dev_loss });

describe('bestDevLoss()', () => {
  it('finds the first of the lowest, and counts those since', () => {
    expect(bestDevLoss([dev(1, 3), dev(2, 2), dev(3, 2), dev(4, 2.5)])).toEqual({ step: 2, loss: 2, since: 2 });
  });

  it('leaves out the loss before training, and lines of steps', () => {
    const step = { step: 1, loss: 0.1, learning_rate: 1, gradient_norm: 1, tokens: 1, seconds: 1 };
    expect(bestDevLoss([dev(0, 1), step, dev(1, 3)])).toEqual({ step: 1, loss: 3, since: 0 });
    expect(bestDevLoss([dev(0, 1), step])).toBeUndefined();
  });
});
