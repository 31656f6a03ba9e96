/** All logits of one sequence, by the engine's graphs. */

import { Engine } from '../src/engine/engine.ts';
import { packSequences } from '../src/engine/pack.ts';
import { logitsGraph } from '../src/model/layer-graphs.ts';
import type { RuntimeModel } from '../src/model/runtime-model.ts';

/** Logits `[token][vocabulary]`, and -log p (nats) of each token from the second on. */
export async function engineLogits(
  model: RuntimeModel,
  tokens: readonly number[],
): Promise<{ logits: Float32Array[]; losses: Float32Array }> {
  const engine = new Engine(model, { threads: 2 });
  const packed = packSequences([{ tokens, labelsFrom: 1 }]);
  const state = await engine.forward(packed, [], false);
  const { losses } = await engine.loss(state);
  const { config, head, normFinal } = model;
  const h = { dtype: 'float32', shape: [packed.rows, config.hiddenSize], data: state.hidden } as const;
  const out = await engine.lanes.here.run('logits', () => logitsGraph(config, packed.rows), { h, head, normFinal });
  await engine.release();
  const all = out.logits!.data as Float32Array;
  return {
    logits: tokens.map((_, row) => all.subarray(row * config.vocabSize, (row + 1) * config.vocabSize)),
    losses: losses as Float32Array,
  };
}

/** The largest distance between two lists of numbers; infinite where lengths differ or a number is none. */
export function largestDistance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = found.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(found[i]! - expected[i]!);
    if (!(distance <= largest)) largest = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
  }
  return largest;
}
