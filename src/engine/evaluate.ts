/** Mean loss of samples: what dev loss and quantization loss are. */

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
    for (const loss of losses) sum += loss;
    labels += losses.length;
    start = end;
  }
  return sum / labels;
}
