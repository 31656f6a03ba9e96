import { describe, expect, it } from 'vitest';
import { recipeSchema } from '../recipe/schema.ts';
import { LedgerIndex } from '../store/ledger-index.ts';
import { usdAtMost, usdOf } from '../teacher/price.ts';
import { providerSettings } from '../teacher/provider-settings.ts';
import { Budget } from './budget.ts';

const recipe = (teacher: object, usd = 1) =>
  recipeSchema.parse({
    name: 'x',
    corpus: { path: 'x' },
    teacher: { kind: 'openai', model: 'unlisted', ...teacher },
    budget: { usd },
    students: [{ name: 'w', stages: ['reformulate'] }],
  });
const price = { inputPerMillion: 2, outputPerMillion: 8, cachedInputPerMillion: 0.5 };
const head = { stage: 'pairs', docId: 'd', item: 'd', model: 'm', promptVersion: 'p', at: '' } as const;

describe('Budget', () => {
  it('never lets spend and what is held back exceed the cap', () => {
    const budget = new Budget(recipe({ price }), new LedgerIndex());
    expect([budget.reserve(0.6), budget.reserve(0.6), budget.reserve(0.4)]).toEqual([true, false, true]);
    budget.settle(0.6, 0.1);
    expect([budget.reserve(0.51), budget.reserve(0.5)]).toEqual([false, true]);
  });

  it('counts earlier processes, and tries that may have been charged with the most they can have cost', () => {
    const index = new LedgerIndex();
    index.add({ type: 'sent', key: 'a', ...head, attempt: 1, usdAtMost: 0.3 }, { segment: '', offset: 0, length: 0 });
    index.add(
      { type: 'sent', key: 'a', ...head, attempt: 2, afterLost: true, usdAtMost: 0.3 },
      { segment: '', offset: 0, length: 0 },
    );
    const budget = new Budget(recipe({ price }), index);
    expect([budget.reserve(0.41), budget.reserve(0.39)]).toEqual([false, true]);
    expect(budget.error().message).toContain('$0.6000 of it for requests that were possibly charged');
  });

  it('refuses a cap where no price is known, and takes listed prices', () => {
    expect(() => new Budget(recipe({}), new LedgerIndex())).toThrow(/no price is known for unlisted/);
    expect(() => new Budget(recipe({ model: 'gpt-4.1-mini' }), new LedgerIndex())).not.toThrow();
  });
});

describe('a teacher with several providers', () => {
  it('has a price of each, and is estimated by the dearest', () => {
    const providers = [
      { name: 'a' },
      { name: 'b', model: 'other', price: { inputPerMillion: 5, outputPerMillion: 6 } },
    ];
    const { teacher } = recipe({ price, providers });
    const [a, b] = providerSettings(teacher).map(({ settings }) => settings);
    const usage = { promptTokens: 1e6, completionTokens: 1e6 };
    expect([usdOf(usage, a!), usdOf(usage, b!), usdOf(usage, teacher)]).toEqual([10, 11, 13]);
    // Its model is another one, so the teacher's price is not its.
    expect(() => new Budget(recipe({ price, providers: [{ name: 'c', model: 'other' }] }), new LedgerIndex())).toThrow(
      /no price is known for other/,
    );
  });
});

describe('usdOf()', () => {
  it('counts cached prompt tokens at their own price', () => {
    const { teacher } = recipe({ price });
    const usage = { promptTokens: 1000, completionTokens: 100, cachedPromptTokens: 600 };
    expect(usdOf(usage, teacher)).toBeCloseTo((400 * 2 + 600 * 0.5 + 100 * 8) / 1e6, 12);
  });
});

describe('usdOf() of a batch', () => {
  it('is the share that the price names, also of cached tokens, and half where it names none', () => {
    const usage = { promptTokens: 1000, completionTokens: 100, cachedPromptTokens: 600 };
    for (const [batchShare, share] of [[0.3, 0.3] as const, [undefined, 0.5] as const]) {
      const { teacher } = recipe({ price: { ...price, ...(batchShare ? { batchShare } : {}) } });
      expect(usdOf(usage, teacher, true)).toBeCloseTo(share * usdOf(usage, teacher)!, 12);
    }
  });
});

describe('usdAtMost()', () => {
  it('is no less than any usage that the request allows', () => {
    const { teacher } = recipe({ price });
    const request = {
      messages: [{ role: 'user', content: 'ä'.repeat(50) } as const],
      params: { temperature: 0, maxTokens: 10 },
    };
    const most = usdAtMost(request, teacher)!;
    expect(most).toBeGreaterThanOrEqual(usdOf({ promptTokens: 100, completionTokens: 10 }, teacher)!);
  });
});
