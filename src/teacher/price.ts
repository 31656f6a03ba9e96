/** What a response cost, and what a request can cost at most. */

import { readFileSync } from 'node:fs';
import type { Recipe } from '../recipe/schema.ts';
import type { TokenUsage } from '../store/ledger-lines.ts';
import { providerSettings } from './provider-settings.ts';
import type { TeacherRequest } from './teacher.ts';

export type Price = NonNullable<Extract<Recipe['teacher'], { kind: 'openai' }>['price']>;

/** Chat formats put some tokens around each message; none in use needs more. */
const TOKENS_AROUND_MESSAGE = 16;

let listed: Record<string, Price> | undefined;

/**
 * The price of a teacher's model: the recipe's, else that of data/prices.json, else undefined. Of several providers, which may any of
 * them answer, the dearest; undefined where the price of one is not known.
 */
export function priceOf(teacher: Extract<Recipe['teacher'], { kind: 'openai' }>): Price | undefined {
  if (teacher.providers === undefined) return priceOfModel(teacher);
  const prices = providerSettings(teacher).map(({ settings }) =>
    settings.kind === 'openai' ? priceOf(settings) : undefined,
  );
  const known = prices.filter((price) => price !== undefined);
  if (known.length < prices.length) return undefined;
  const most = (of: (price: Price) => number) => Math.max(...known.map(of));
  return {
    inputPerMillion: most((price) => price.inputPerMillion),
    outputPerMillion: most((price) => price.outputPerMillion),
    cachedInputPerMillion: most((price) => price.cachedInputPerMillion ?? price.inputPerMillion),
    batchShare: most((price) => price.batchShare ?? USUAL_BATCH_SHARE),
  };
}

/** The price that stands beside a model's name, else that of data/prices.json. */
export function priceOfModel({ model, price }: { model: string; price?: Price | undefined }): Price | undefined {
  return price ?? listedPrices()[model];
}

/** What most providers ask for a batch. */
const USUAL_BATCH_SHARE = 0.5;

/** US dollars of a response, from a batch or not; null where no price is known. A recording costs nothing. */
export function usdOf(usage: TokenUsage, teacher: Recipe['teacher'], batch = false): number | null {
  if (teacher.kind === 'recorded') return 0;
  const price = priceOf(teacher);
  if (price === undefined) return null;
  const { inputPerMillion, outputPerMillion, cachedInputPerMillion = inputPerMillion } = price;
  const cached = usage.cachedPromptTokens ?? 0;
  const input = (usage.promptTokens - cached) * inputPerMillion + cached * cachedInputPerMillion;
  const share = batch ? (price.batchShare ?? USUAL_BATCH_SHARE) : 1;
  return (share * (input + usage.completionTokens * outputPerMillion)) / 1e6;
}

/** US dollars a request can cost at most: a token is at least one byte of its prompt, and the answer may be as long as allowed. */
export function usdAtMost(
  request: Pick<TeacherRequest, 'messages' | 'params'>,
  teacher: Recipe['teacher'],
  batch = false,
): number | null {
  const bytes = request.messages.reduce(
    (sum, { content }) => sum + Buffer.byteLength(content) + TOKENS_AROUND_MESSAGE,
    0,
  );
  return usdOf({ promptTokens: bytes, completionTokens: request.params.maxTokens }, teacher, batch);
}

function listedPrices(): Record<string, Price> {
  if (listed === undefined) {
    const path = new URL('../../data/prices.json', import.meta.url);
    listed = (JSON.parse(readFileSync(path, 'utf8')) as { models: Record<string, Price> }).models;
  }
  return listed;
}
