/** What requests will cost and how long they take: at most, and as the answers in the ledger tell. */

import type { Recipe } from '../recipe/schema.ts';
import { CHARACTERS_PER_TOKEN } from '../stage/stand-in.ts';
import { type ClusterSum, predictedTotal } from '../statistics/predicted-total.ts';
import { usdOf } from '../teacher/price.ts';
import { providerSettings } from '../teacher/provider-settings.ts';
import type { Ahead, DocumentAnswers, RequestGroup } from './request-groups.ts';

/** An estimate with its 95% prediction interval; without bounds where one document alone was asked. */
export interface Figure {
  value: number;
  low: number | null;
  high: number | null;
}

export interface GroupEstimate {
  /** Answered documents that it rests on. */
  documents: number;
  promptTokens: number;
  completionTokens: number;
  /** Null where no price is known. */
  usd: Figure | null;
  /** Null where it goes by batch. */
  seconds: Figure | null;
}

/** Tokens and price of a group's requests ahead if every answer is as long as the stage allows. */
export function mostOf(group: RequestGroup) {
  return mostFor(group, group.characters, group.ahead.requests);
}

/** The same of `requests` whose prompts have so many characters. */
export function mostFor(
  { settings, maxTokens }: Pick<RequestGroup, 'settings' | 'maxTokens'>,
  characters: number,
  requests: number,
) {
  const promptTokens = Math.round(characters / CHARACTERS_PER_TOKEN);
  const completionTokens = requests * maxTokens;
  const usd = usdOf({ promptTokens, completionTokens }, settings, byBatch(settings));
  return { promptTokens, completionTokens, usd };
}

/**
 * What the answers of a group tell about requests `ahead` of the same kind. Prompt tokens go with the length of the documents,
 * answer tokens and time with the number of requests; documents are the unit. Prices are today's of the recipe, with the share of
 * prompt tokens that came from the provider's cache, and the discount of batches.
 *
 * @returns undefined where nothing was answered, and for a recording, which costs nothing
 */
export function estimateOf(
  { settings, answers }: Pick<RequestGroup, 'settings' | 'answers'>,
  ahead: Ahead,
  concurrency: number,
): GroupEstimate | undefined {
  if (answers.length === 0 || settings.kind === 'recorded') return undefined;
  const predict = (y: (one: DocumentAnswers) => number, x: 'weight' | 'requests' | 'direct', of = answers) =>
    predictedTotal(
      of.map((one): ClusterSum => ({ y: y(one), x: one[x] })),
      x === 'weight' ? ahead.weight : ahead.requests,
      ahead.documents,
    );
  const batch = byBatch(settings);
  const input = predict(
    ({ promptTokens, cachedPromptTokens }) =>
      usdOf({ promptTokens, cachedPromptTokens, completionTokens: 0 }, settings, batch) ?? Number.NaN,
    'weight',
  );
  const output = predict(
    ({ completionTokens }) => usdOf({ promptTokens: 0, completionTokens }, settings, batch) ?? Number.NaN,
    'requests',
  );
  const direct = answers.filter((one) => one.direct > 0);
  const time = predict(({ latencyMs }) => latencyMs / 1000, 'direct', direct);
  const inFlight = Math.max(1, Math.min(concurrency, ahead.requests));
  const seconds = figure(time.estimate / inFlight, time.halfWidth / inFlight);
  return {
    documents: answers.length,
    promptTokens: Math.round(predict(({ promptTokens }) => promptTokens, 'weight').estimate),
    completionTokens: Math.round(predict(({ completionTokens }) => completionTokens, 'requests').estimate),
    usd: Number.isNaN(input.estimate)
      ? null
      : figure(input.estimate + output.estimate, input.halfWidth + output.halfWidth),
    seconds: batch || direct.length === 0 ? null : seconds,
  };
}

/** The sum of figures that move together, as the prices of stages do: a long document costs more in each. Wider than truth at most. */
export function sumOf(figures: readonly Figure[]): Figure {
  const half = figures.reduce(
    (sum, { value, high }) => sum + (high === null ? Number.POSITIVE_INFINITY : high - value),
    0,
  );
  return figure(
    figures.reduce((sum, { value }) => sum + value, 0),
    half,
  );
}

/** A figure that is known. */
export function exactly(value: number): Figure {
  return { value, low: value, high: value };
}

function figure(value: number, halfWidth: number): Figure {
  if (!Number.isFinite(halfWidth)) return { value, low: null, high: null };
  return { value, low: Math.max(0, value - halfWidth), high: value + halfWidth };
}

/** Whether all who are asked answer by batch. */
export function byBatch(settings: Recipe['teacher']): boolean {
  return providerSettings(settings).every(({ settings: one }) => one.kind === 'openai' && one.batch);
}
