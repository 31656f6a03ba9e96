/** Losses of samples: their mean is what dev loss and quantization loss are. */

import { InterruptedError } from '../foundation/errors.ts';
import type { Engine, LayerAdapter } from './engine.ts';
import { packSequences, type TokenSequence } from './pack.ts';

/** Tokens of one evaluation pass, before sharing. */
const PASS_TOKENS = 4096;

/** Mean cross-entropy over all completion tokens, in nats. @throws InterruptedError between passes, when the signal is aborted */
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
    for (const [i, { sequence }] of state.packed.targets.entries()) bySample[sequence]!.push(losses[i]!);
    yield* bySample;
    start = end;
  }
}
