/** Whether another round follows, how large it is, and which round's students are taken. Decides from figures alone. */

import type { Recipe } from '../recipe/schema.ts';
import type { RoundOutcome } from './round-outcome.ts';

/**
 * Why there is no further round: all were made (`count`), the last one gained too little (`gain`), no training documents are
 * left (`documents`), or the budget pays for no more (`budget`).
 */
export type StopReason = 'count' | 'gain' | 'documents' | 'budget';

export type NextRound = { documents: number } | { stop: StopReason };

export interface Supplies {
  /** Training documents of no round yet. */
  left: number;
  /** Documents of a round. */
  size: number;
  /** Documents that the rest of the budget pays for. */
  affordable: number;
}

/** Points that are no more than the rounding of shares. */
const ROUNDING = 1e-9;

/** @param done the rounds that are over, in order */
export function nextRound(
  done: readonly Pick<RoundOutcome, 'gain'>[],
  { count, minGain }: Pick<Recipe['rounds'], 'count' | 'minGain'>,
  { left, size, affordable }: Supplies,
): NextRound {
  const gain = done.at(-1)?.gain ?? null;
  if (done.length >= count) return { stop: 'count' };
  if (gain !== null && 100 * gain < minGain - ROUNDING) return { stop: 'gain' };
  if (left < 1) return { stop: 'documents' };
  if (affordable < 1) return { stop: 'budget' };
  return { documents: Math.min(size, left, affordable) };
}

/** Part of what is left of a budget that a round is planned with: requests are held back at the largest price they can have. */
const PLANNED_SHARE = 0.9;

/**
 * How many more documents the budget pays for, at the mean price of those asked about so far.
 *
 * @param usd the cap; undefined where there is none
 */
export function affordableDocuments(usd: number | undefined, spent: number, documents: number): number {
  if (usd === undefined || spent === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor((PLANNED_SHARE * (usd - spent)) / (spent / documents)));
}

/** The round whose students are taken: the one with most usable dev outputs; of equals the later, which has learned from more. */
export function bestRound(done: readonly Pick<RoundOutcome, 'round' | 'dev'>[]): number {
  return [...done].sort((a, b) => b.dev.usable - a.dev.usable || b.round - a.round)[0]!.round;
}
