import { describe, expect, it } from 'vitest';
import { cosineWithWarmup } from './schedule.ts';

/** transformers 5.24: get_cosine_schedule_with_warmup(optimizer, 3, 12), peak 2e-3; the rates of steps 4 to 12. */
const HUGGING_FACE = [
  0.002, 0.0019396926207859084, 0.001766044443118978, 0.0015, 0.0011736481776669307, 0.0008263518223330697,
  0.0005000000000000002, 0.0002339555568810221, 6.0307379214091684e-5,
];

describe('cosineWithWarmup()', () => {
  it("has Hugging Face's rates after the warm-up", () => {
    for (const [i, rate] of HUGGING_FACE.entries()) {
      expect(cosineWithWarmup(4 + i, 12, 0.25, 2e-3)).toBeCloseTo(rate, 15);
    }
  });

  it('warms up in equal parts from the first step on, to the peak', () => {
    const rates = [1, 2, 3].map((step) => cosineWithWarmup(step, 12, 0.25, 2e-3));
    for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(((i + 1) / 3) * 2e-3, 15);
  });

  it('rounds the warm-up up to whole steps', () => {
    expect(cosineWithWarmup(1, 12, 0.01, 1)).toBe(1);
    expect(cosineWithWarmup(1, 12, 0.1, 1)).toBe(0.5);
  });

  it('begins at the peak without a warm-up, and is linear with nothing else', () => {
    expect(cosineWithWarmup(1, 4, 0, 1)).toBe(1);
    expect([1, 2, 3, 4].map((step) => cosineWithWarmup(step, 4, 1, 1))).toEqual([0.25, 0.5, 0.75, 1]);
    expect(cosineWithWarmup(1, 1, 0, 1)).toBe(1);
  });
});
