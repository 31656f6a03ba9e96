/** One optimizer step: gradients of a batch, clipping, AdamW. */

import type { Engine, Floats, OuterGradients } from '../engine/engine.ts';
import { packSequences, type TokenSequence } from '../engine/pack.ts';
import { type AdamWSettings, adamwStep, globalNorm, type Moments } from './optimizer.ts';
import { partsOf, type Trained } from './trained.ts';

/** Of each part (partsOf), by parameter. */
export type TrainedMoments = readonly Record<string, Moments>[];
export type TrainedGradients = readonly Record<string, Floats>[];

/** What parameters are held as multiples of, by part and name; absent: one. */
export type Units = readonly Readonly<Record<string, Float32Array>>[];

export function zeroMoments(trained: Trained): TrainedMoments {
  return partsOf(trained).map((part) =>
    Object.fromEntries(
      Object.entries(part).map(([name, { data }]) => [
        name,
        { m: new Float32Array(data.length), v: new Float32Array(data.length) },
      ]),
    ),
  );
}

export function zeroGradients(trained: Trained): TrainedGradients {
  return partsOf(trained).map((part) =>
    Object.fromEntries(Object.entries(part).map(([name, { data }]) => [name, new Float32Array(data.length)])),
  );
}

export interface BatchGradient {
  /** Mean over the batch's labels, nats. */
  readonly loss: number;
  readonly labels: number;
  readonly grads: TrainedGradients;
}

/**
 * Loss and gradients of a batch, the mean over all its labels (completion tokens, or their distributions) whatever way it is cut into passes.
 *
 * @param passes the batch, cut into parts that go through the model one after another (a bound on memory)
 * @param grads written over with the gradients
 */
export async function batchGradient(
  engine: Engine,
  trained: Trained,
  passes: readonly (readonly TokenSequence[])[],
  grads: TrainedGradients = zeroGradients(trained),
): Promise<BatchGradient> {
  const packed = passes.map((sequences) => packSequences(sequences));
  const labels = packed.reduce((n, pass) => n + pass.labels, 0);
  for (const part of grads) for (const sum of Object.values(part)) sum.fill(0);
  const outer = 'outer' in trained ? (grads[trained.layers.length] as unknown as OuterGradients) : undefined;
  let total = 0;
  for (const pass of packed) {
    const state = await engine.forward(pass, trained.layers, true);
    const weights = pass.targets.map(({ share = 1 }) => share / labels);
    const { losses, dy } = await engine.loss(state, weights, outer);
    for (const [i, { share = 1 }] of pass.targets.entries()) total += share * losses[i]!;
    await engine.backward(state, dy!, trained.layers, grads, outer);
  }
  return { loss: total / labels, labels, grads };
}

/**
 * Applies a gradient in place: clips its global norm, then AdamW. Weights decay in matrices alone, not in norms and biases
 * (as Hugging Face's trainer has it). Returns the norm before clipping.
 *
 * @param units where a parameter is held as u w it is w that is trained: dL/dw = u dL/d(u w)
 */
export function applyGradient(
  trained: Trained,
  moments: TrainedMoments,
  { grads }: BatchGradient,
  step: number,
  learningRate: number,
  gradientClip: number,
  settings: AdamWSettings,
  units?: Units,
): number {
  for (const [part, scales] of (units ?? []).entries()) {
    for (const [name, u] of Object.entries(scales)) {
      const gradient = grads[part]![name]!;
      for (let i = 0; i < u.length; i++) gradient[i]! *= u[i]!;
    }
  }
  const norm = globalNorm(grads.flatMap((part) => Object.values(part)));
  const shrink = norm > gradientClip ? gradientClip / norm : 1;
  const vectors = { ...settings, weightDecay: 0 };
  for (const [part, tensors] of partsOf(trained).entries()) {
    for (const [name, { data, shape }] of Object.entries(tensors)) {
      const gradient = grads[part]![name]!;
      if (shrink !== 1) for (let i = 0; i < gradient.length; i++) gradient[i]! *= shrink;
      const own = shape.length === 1 ? vectors : settings;
      adamwStep(data as Float32Array, gradient, moments[part]![name]!, step, learningRate, own, units?.[part]?.[name]);
    }
  }
  return norm;
}
