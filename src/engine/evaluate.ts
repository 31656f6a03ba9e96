/** Losses of samples: their mean is what dev loss and quantization loss are. */

import { InterruptedError } from '../foundation/errors.ts';
import type { Engine, LayerAdapter } from './engine.ts';
import { packSequences, type Target, type TokenSequence } from './pack.ts';

/** Tokens of one evaluation pass, before sharing. */
const PASS_TOKENS = 4096;

/** Mean cross-entropy over all labels (completion tokens, or their distributions), in nats. @throws InterruptedError between passes, when the signal is aborted */
export async function evaluateLoss(
  engine: Engine,
  adapters: readonly LayerAdapter[],
  samples: readonly TokenSequence[],
  signal?: AbortSignal,
): Promise<number> {
  let sum = 0;
  let labels = 0;
  for await (const losses of tokenLosses(engine, adapters, samples, signal)) {
    for (const loss of losses) sum += loss;
    labels += losses.length;
  }
  return sum / labels;
}

/**
 * Cross-entropy of every label of each sample in order, in nats: entry j belongs to token max(labelsFrom, 1) + j.
 *
 * @throws InterruptedError between passes, when the signal is aborted
 */
export async function* tokenLosses(
  engine: Engine,
  adapters: readonly LayerAdapter[],
  samples: readonly TokenSequence[],
  signal?: AbortSignal,
): AsyncGenerator<number[], void, undefined> {
  for (let start = 0; start < samples.length; ) {
    if (signal?.aborted) throw new InterruptedError();
    let end = start;
    for (
      let tokens = 0;
      end < samples.length && (end === start || tokens + samples[end]!.tokens.length <= PASS_TOKENS);
      end++
    ) {
      tokens += samples[end]!.tokens.length;
    }
    const state = await engine.forward(packSequences(samples.slice(start, end)), adapters, false);
    const { losses } = await engine.loss(state);
    const bySample: number[][] = Array.from({ length: end - start }, () => []);
    // Targets of a sample come by position, whichever samples share rows with it.
    let before: Target | undefined;
    for (const [i, target] of state.packed.targets.entries()) {
      const { sequence, row, share = 1 } = target;
      const own = bySample[sequence]!;
      // Targets side by side that have shares of one row are one soft label.
      const isSame = target.share !== undefined && before?.share !== undefined;
      if (isSame && before?.row === row && before.sequence === sequence) own[own.length - 1]! += share * losses[i]!;
      else own.push(share * losses[i]!);
      before = target;
    }
    yield* bySample;
    start = end;
  }
}
