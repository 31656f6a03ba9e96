/** `mga review`: people rate outputs of a run blind, in their browser, until they end it. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { UserError } from '../foundation/errors.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { Ledger } from '../store/ledger.ts';
import { type ReviewFrame, reviewOutputs } from './review-outputs.ts';
import { reviewPage } from './review-page.ts';
import { reviewSample } from './review-sample.ts';
import { startReviewServer } from './review-server.ts';
import { ReviewSession } from './review-session.ts';
import { reviewedStage } from './reviewed-stage.ts';

/** Enough that nobody guesses it: the page of another program on this machine may try. */
const TOKEN_BYTES = 24;

export interface ReviewOptions {
  frame: ReviewFrame;
  /** Whose texts; default: the first stage that is judged. */
  stage?: string | undefined;
  /** Outputs to be drawn. */
  size: number;
  /** Whose ratings these are; those of others are neither shown nor overwritten. */
  rater: string;
  /** 0: any that is free. */
  port: number;
  /** Told when the page can be opened. */
  onOpen(review: { url: string; outputs: number; rated: number }): void;
}

export interface ReviewSummary {
  outputs: number;
  rated: number;
  skipped: number;
}

/**
 * Serves the page until `signal` is aborted. Every rating is in the ledger before the page is told so; the ledger is held by this process meanwhile.
 *
 * @throws UserError where the run has nothing to rate, another process holds its ledger, or the port cannot be had
 */
export async function review(
  recipe: Recipe,
  folder: RunFolder,
  { frame, stage: wanted, size, rater, port, onOpen }: ReviewOptions,
  signal: AbortSignal,
): Promise<ReviewSummary> {
  const { seed } = recipe;
  const { stage, task, rubric } = reviewedStage(recipe, frame, wanted);
  const { outputs, documents } = await reviewOutputs(recipe, folder, frame, stage);
  const sample = reviewSample(outputs, { size, seed });
  const ledger = await Ledger.open(folder.ledger);
  try {
    const session = new ReviewSession({
      sample,
      documents,
      rater,
      seed,
      earlier: ledger.index.ratings,
      append: (line) => ledger.append(line),
    });
    const page = reviewPage({ name: recipe.name, task, rubric });
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const server = await startReviewServer({ session, page, token, port });
    try {
      onOpen({ url: server.url, outputs: sample.length, rated: session.state.answers.length });
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await server.close();
      await session.settled();
    }
    const { total, answers } = session.state;
    const skipped = answers.filter(([, answer]) => answer === 'skip').length;
    return { outputs: total, rated: answers.length - skipped, skipped };
  } finally {
    await ledger.close();
  }
}

/** @throws UserError where the name cannot stand for a person */
export function raterName(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== '' && trimmed.length <= 80) return trimmed;
  throw new UserError(`Cannot use "${name}" as the name of a rater`, 'Give a short name: --rater ann');
}
