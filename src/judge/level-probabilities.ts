/** What a distilled judge thinks of a text: its distribution over the five scores, from one pass and no generation. */

import { Engine } from '../engine/engine.ts';
import { packSequences, type TokenSequence } from '../engine/pack.ts';
import { scoreTokens } from '../engine/score-tokens.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import type { AdaptedModel } from '../quantize/student-model.ts';
import { judgeStage } from '../stage/judge.ts';
import type { SourceDocument } from '../stage/stage.ts';

export interface DistilledModel {
  readonly model: AdaptedModel;
  readonly tokenizer: Tokenizer;
  readonly threads?: number;
}

/** Tokens of one pass, before sharing. */
const PASS_TOKENS = 4096;

/**
 * For each text the probabilities of the scores 1 to 5 `[5]`, of those five tokens alone. Texts of one document are scored together and share
 * its encoding.
 *
 * @throws UserError where the tokenizer does not tell the scores apart by one token
 * @throws InterruptedError between passes, when the signal is aborted
 */
export async function levelProbabilities(
  { model, tokenizer, threads }: DistilledModel,
  texts: readonly { document: SourceDocument; text: string }[],
  signal: AbortSignal,
  onPass: (done: number) => void = () => {},
): Promise<number[][]> {
  const { lead, levels } = scoreTokens(tokenizer);
  const sequences = texts.map((text): TokenSequence => {
    const tokens = [...tokenizer.chatPrompt(judgeStage.studentPrompt(text)), ...lead];
    return { tokens, labelsFrom: tokens.length };
  });
  const probabilities: number[][] = texts.map(() => []);
  const { model: runtime, adapter } = model;
  const engine = new Engine(runtime, { ...(threads ? { threads } : {}), ...(adapter ? { lora: adapter } : {}) });
  try {
    let done = 0;
    for (const pass of passes(texts, sequences)) {
      if (signal.aborted) throw new InterruptedError();
      const packed = packSequences(pass.map((i) => sequences[i]!));
      const targets = packed.lastRows.flatMap((row, sequence) => levels.map((label) => ({ row, label, sequence })));
      const state = await engine.forward({ ...packed, targets }, adapter?.layers ?? [], false);
      const { losses } = await engine.loss(state);
      for (const [i, index] of pass.entries())
        probabilities[index] = softmax(Array.from(losses.subarray(i * levels.length, (i + 1) * levels.length)));
      done += pass.length;
      onPass(done);
    }
  } finally {
    await engine.release();
  }
  return probabilities;
}

/** The mean of a distribution over 1..5. */
export function expectedLevel(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, probability, i) => sum + probability * (i + 1), 0);
}

/** From -log p of each level to shares of the five: exp(-loss) / sum exp(-loss). */
function softmax(losses: readonly number[]): number[] {
  const least = Math.min(...losses);
  const exps = losses.map((loss) => Math.exp(least - loss));
  const total = exps.reduce((sum, value) => sum + value, 0);
  return exps.map((value) => value / total);
}

/** Indices in passes of bounded length, texts of one document side by side. */
function passes(texts: readonly { document: SourceDocument }[], sequences: readonly TokenSequence[]): number[][] {
  const firstOf = new Map<string, number>();
  for (const [i, { document }] of texts.entries()) if (!firstOf.has(document.id)) firstOf.set(document.id, i);
  const order = texts
    .map((_, i) => i)
    .sort((a, b) => firstOf.get(texts[a]!.document.id)! - firstOf.get(texts[b]!.document.id)! || a - b);
  const found: number[][] = [];
  let room = 0;
  for (const i of order) {
    room -= sequences[i]!.tokens.length;
    if (room < 0 || found.length === 0) {
      found.push([]);
      room = PASS_TOKENS - sequences[i]!.tokens.length;
    }
    found.at(-1)!.push(i);
  }
  return found;
}
