import { describe, expect, it } from 'vitest';
import { estimateOf, sumOf } from './price-estimate.ts';
import type { DocumentAnswers } from './request-groups.ts';

const price = { inputPerMillion: 2, outputPerMillion: 8, cachedInputPerMillion: 0.5 };
const settings = {
  kind: 'openai',
  model: 'm',
  baseUrlEnv: 'U',
  apiKeyEnv: 'K',
  temperature: 0,
  structured: true,
  batch: false,
  price,
} as const;

/** A document of five requests, a token for each four characters of weight; 60% of the prompt from the cache. */
function document(weight: number, completionTokens = 500): DocumentAnswers {
  const promptTokens = weight / 4;
  const cachedPromptTokens = 0.6 * promptTokens;
  return { requests: 5, weight, promptTokens, cachedPromptTokens, completionTokens, direct: 5, latencyMs: 10_000 };
}

const ahead = { requests: 50, weight: 40_000, documents: 10 };

describe('estimateOf()', () => {
  it('takes prompts by length and answers by number, with the share of the cache at its own price', () => {
    const answers = [document(4000), document(8000), document(2000)];
    const { usd, seconds, ...rest } = estimateOf({ settings, answers }, ahead, 8)!;
    expect(rest).toEqual({ documents: 3, promptTokens: 10_000, completionTokens: 5000 });
    expect(usd!.value).toBeCloseTo((4000 * 2 + 6000 * 0.5 + 5000 * 8) / 1e6, 12);
    // Every document is alike but for its length, which is known: no spread.
    expect(usd!.high).toBeCloseTo(usd!.value, 12);
    expect(seconds!.value).toBeCloseTo((50 * 2) / 8, 9);
  });

  it('has the discount of batches, and then no time', () => {
    const answers = [document(4000), document(8000, 700)];
    const direct = estimateOf({ settings, answers }, ahead, 8)!;
    const batch = estimateOf({ settings: { ...settings, batch: true }, answers }, ahead, 8)!;
    expect(batch.usd!.value).toBeCloseTo(direct.usd!.value / 2, 12);
    expect(batch.usd!.high! - batch.usd!.value).toBeCloseTo((direct.usd!.high! - direct.usd!.value) / 2, 12);
    expect(batch.seconds).toBeNull();
  });

  it('has no interval from one document, no dollars without a price, and nothing without answers', () => {
    const one = estimateOf({ settings, answers: [document(4000)] }, ahead, 8)!;
    expect(one.usd).toMatchObject({ low: null, high: null });
    const { price: _, ...unpriced } = settings;
    expect(estimateOf({ settings: unpriced, answers: [document(4000), document(1)] }, ahead, 8)!.usd).toBeNull();
    expect(estimateOf({ settings, answers: [] }, ahead, 8)).toBeUndefined();
  });
});

describe('sumOf()', () => {
  it('adds what moves together, and has no bounds where one part has none', () => {
    const figure = { value: 2, low: 1, high: 3 };
    expect(sumOf([figure, { value: 5, low: 4.5, high: 5.5 }])).toEqual({ value: 7, low: 5.5, high: 8.5 });
    expect(sumOf([figure, { value: 5, low: null, high: null }])).toEqual({ value: 7, low: null, high: null });
  });
});
