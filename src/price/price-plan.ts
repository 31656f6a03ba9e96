/** Prices a plan: what was spent, what is to come at most, and what it will be as far as the ledger's answers tell. */

import type { Spend } from '../store/ledger-index.ts';
import { byBatch, estimateOf, exactly, type Figure, type GroupEstimate, mostOf, sumOf } from './price-estimate.ts';
import type { RequestGroup } from './request-groups.ts';

/** A row of the plan's table. */
export interface StagePlan {
  stage: string;
  /** Who is asked. */
  model: string;
  /** Requests in all; estimated where they depend on answers that are still to come. */
  total: number;
  estimated: boolean;
  answered: number;
  failed: number;
  toAsk: number;
  /** Estimates for what is still to be asked: from the length of its texts, and every answer as long as the stage allows. */
  promptTokens: number;
  completionTokens: number;
  /** US dollars of those tokens; null where no price is known. */
  usd: number | null;
  /** By the provider's Batch API. */
  byBatch: boolean;
  /** From the answers to the same in the ledger. */
  estimate?: GroupEstimate;
}

export interface PricePlan {
  /** US dollars spent so far, of answers with a known price. */
  spent: number;
  /** US dollars still to come at most; null without a price. */
  usd: number | null;
  /** US dollars and seconds still to come; undefined before anything was answered. */
  estimate?: {
    usd: Figure | null;
    /** Null where some of it goes by batch or was never asked. */
    seconds: Figure | null;
    /** Least answered documents of its stages. */
    documents: number;
    /** Stages without an answer yet: counted at most. */
    without: string[];
  };
}

/** The row of a group. */
export function stagePlan(group: RequestGroup, concurrency: number): StagePlan {
  const { stage, model, settings, total, estimated, answered, failed, ahead } = group;
  const estimate = ahead.requests > 0 ? estimateOf(group, ahead, concurrency) : undefined;
  const row = {
    stage,
    model,
    total,
    estimated,
    answered,
    failed,
    toAsk: ahead.requests,
    ...mostOf(group),
    byBatch: byBatch(settings),
  };
  return estimate === undefined ? row : { ...row, estimate };
}

/** All rows together. */
export function pricePlan(rows: readonly StagePlan[], spend: readonly Spend[]): PricePlan {
  const spent = spend.reduce((sum, { usd }) => sum + usd, 0);
  const ahead = rows.filter(({ toAsk }) => toAsk > 0);
  const usd = ahead.some((row) => row.usd === null) ? null : ahead.reduce((sum, row) => sum + row.usd!, 0);
  const known = ahead.flatMap(({ estimate }) => estimate ?? []);
  if (known.length === 0) return { spent, usd };
  const without = ahead.filter(({ estimate, usd: most }) => estimate === undefined && most !== 0);
  const figures = ahead.map(({ estimate, usd: most }) =>
    estimate ? estimate.usd : most === null ? null : exactly(most),
  );
  const times = known.map(({ seconds }) => seconds);
  return {
    spent,
    usd,
    estimate: {
      usd: figures.every((one) => one !== null) ? sumOf(figures) : null,
      seconds: without.length === 0 && times.every((one) => one !== null) ? sumOf(times) : null,
      documents: Math.min(...known.map(({ documents }) => documents)),
      without: without.map(({ stage, model }) => `${stage} (${model})`),
    },
  };
}
