/** One optimizer step: gradients of a batch, clipping, AdamW. */

import type { Engine, Floats } from '../engine/engine.ts';
import { packSequences, type TokenSequence } from '../engine/pack.ts';
import type { Adapter } from '../model/adapter.ts';
import { type AdamWSettings, adamwStep, globalNorm, type Moments } from './optimizer.ts';

export type AdapterMoments = readonly Record<string, Moments>[];

export function zeroMoments(adapter: Adapter): AdapterMoments {
  return adapter.layers.map((layer) =>
    Object.fromEntries(
      Object.entries(layer).map(([name, { data }]) => [
        name,
        { m: new Float32Array(data.length), v: new Float32Array(data.length) },
      ]),
    ),
  );
}

export interface BatchGradient {
  /** Mean over the batch's completion tokens, nats. */
  readonly loss: number;
  readonly labels: number;
  readonly grads: readonly Record<string, Floats>[];
}

/**
 * Loss and adapter gradients of a batch, the mean over all its completion tokens whatever way it is cut into passes.
 *
 * @param passes the batch, cut into parts that go through the model one after another (a bound on memory)
 */
export async function batchGradient(
  engine: Engine,
  adapter: Adapter,
  passes: readonly (readonly TokenSequence[])[],
): Promise<BatchGradient> {
  const packed = passes.map((sequences) => packSequences(sequences));
  const labels = packed.reduce((n, pass) => n + pass.targets.length, 0);
  const grads = adapter.layers.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([name, { data }]) => [name, new Float32Array(data.length)])),
  );
  let total = 0;
  for (const pass of packed) {
    const state = await engine.forward(pass, adapter.layers, true);
    const { losses, dy } = await engine.loss(
      state,
      pass.targets.map(() => 1 / labels),
    );
    for (const loss of losses) total += loss;
    await engine.backward(state, dy!, adapter.layers, grads);
  }
  return { loss: total / labels, labels, grads };
}

/** Applies a gradient in place: clips its global norm, then AdamW. Returns the norm before clipping. */
export function applyGradient(
  adapter: Adapter,
  moments: AdapterMoments,
  { grads }: BatchGradient,
  step: number,
  learningRate: number,
  gradientClip: number,
  settings: AdamWSettings,
): number {
  const norm = globalNorm(grads.flatMap((layer) => Object.values(layer)));
  const shrink = norm > gradientClip ? gradientClip / norm : 1;
  for (const [layer, tensors] of adapter.layers.entries()) {
    for (const [name, { data }] of Object.entries(tensors)) {
      const gradient = grads[layer]![name]!;
      if (shrink !== 1) for (let i = 0; i < gradient.length; i++) gradient[i]! *= shrink;
      adamwStep(data as Float32Array, gradient, moments[layer]![name]!, step, learningRate, settings);
    }
  }
  return norm;
}
