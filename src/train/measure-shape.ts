/**
 * How fast this machine trains a model of which only the sizes are known: a few layers of random weights and the head are run
 * and counted for all layers. What weights are worth changes no time.
 */

import { Engine, type OuterGradients } from '../engine/engine.ts';
import { type Packed, packSequences } from '../engine/pack.ts';
import type { TokenSample } from '../engine/token-samples.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { ModelConfig } from '../model/config.ts';
import { hubWeightShapes } from '../model/hub-weights.ts';
import { randomWeights } from '../model/random-weights.ts';
import { f32Model, type RuntimeModel } from '../model/runtime-model.ts';
import { noSmoothing } from '../quantize/smooth-quant.ts';
import { trainableModel } from '../quantize/trainable-model.ts';
import type { TrainSettings } from '../recipe/schema.ts';
import { ADAMW_DEFAULTS } from './optimizer.ts';
import { PASS_TOKENS, planPasses, planSteps } from './plan-steps.ts';
import { applyGradient, zeroGradients, zeroMoments } from './step.ts';
import { engineSettings, startOf, trainedSize } from './trained.ts';

/** Two, so that a layer runs with the other's weights in between. */
export const MEASURED_LAYERS = 2;
/** The second pass needs fewer new graphs, and has other lengths than the first. */
const MEASURED_PASSES = 2;

export interface ShapeMeasurement {
  readonly seed: number;
  /** Layers of the training that keep their activations; the others go forward twice. */
  readonly keptLayers: number;
  readonly lanes: number;
  readonly signal: AbortSignal;
}

/**
 * Seconds of steps a data-set token, without the building of graphs.
 *
 * @param samples of the training; the first passes of its first step are made
 * @throws InterruptedError between passes, when the signal is aborted
 */
export async function measureShape(
  config: ModelConfig,
  samples: readonly TokenSample[],
  settings: TrainSettings,
  { seed, keptLayers, lanes, signal }: ShapeMeasurement,
): Promise<number> {
  const documents = samples.map(({ docId }) => docId);
  const lengths = samples.map(({ tokens }) => tokens.length);
  const tokensOf = (indices: readonly number[]) => indices.reduce((sum, i) => sum + lengths[i]!, 0);
  const steps = planSteps(documents, settings, seed);
  const chosen = planPasses(steps[0]!, documents, lengths, PASS_TOKENS).slice(0, MEASURED_PASSES);
  const passes = chosen.map((pass) => packSequences(pass.map((i) => samples[i]!)));
  const weights = randomWeights({ ...config, layers: MEASURED_LAYERS, sliding: undefined });
  const model = settings.precision === 'f32' ? f32Model(weights) : trainableModel(weights, noSmoothing(weights));

  const again = 1 - keptLayers / config.layers;
  const kinds = layerKinds(config);
  let passSeconds = 0;
  let optimizerSeconds = 0;
  for (const { layers, sliding } of kinds) {
    const kind = { ...model, config: { ...model.config, sliding } };
    const times = await timeStep(kind, passes, settings, { seed, lanes, signal });
    passSeconds += (layers / MEASURED_LAYERS) * (times.backward + (1 + again) * times.forward);
    passSeconds += times.head / kinds.length;
    optimizerSeconds += times.optimizerPerParameter / kinds.length;
  }
  optimizerSeconds *= parametersOf(config, settings, seed, model);
  const stepTokens = steps.reduce((sum, step) => sum + tokensOf(step), 0) / steps.length;
  return passSeconds / tokensOf(chosen.flat()) + optimizerSeconds / stepTokens;
}

/** Layers that see all tokens, and those that slide. */
function layerKinds({ layers, sliding }: ModelConfig): { layers: number; sliding: ModelConfig['sliding'] }[] {
  const slide = sliding?.layers.filter(Boolean).length ?? 0;
  const kinds = [{ layers: layers - slide, sliding: undefined as ModelConfig['sliding'] }];
  if (sliding) kinds.push({ layers: slide, sliding: { ...sliding, layers: new Array(MEASURED_LAYERS).fill(true) } });
  return kinds.filter((kind) => kind.layers > 0);
}

interface StepTimes {
  /** Seconds of all passes, each part of them. */
  forward: number;
  head: number;
  backward: number;
  optimizerPerParameter: number;
}

async function timeStep(
  model: RuntimeModel,
  passes: readonly Packed[],
  settings: TrainSettings,
  { seed, lanes, signal }: Pick<ShapeMeasurement, 'seed' | 'lanes' | 'signal'>,
): Promise<StepTimes> {
  const trained = startOf(model, settings, seed);
  const engine = new Engine(model, {
    device: settings.device,
    ...(settings.threads ? { threads: settings.threads } : {}),
    ...engineSettings(trained),
    lanes,
    expectedRows: Math.max(...passes.map(({ rows }) => rows)),
  });
  const grads = zeroGradients(trained);
  const outer = 'outer' in trained ? (grads[trained.layers.length] as unknown as OuterGradients) : undefined;
  const times = { forward: 0, head: 0, backward: 0 };
  const timed = async <T>(part: keyof typeof times, work: () => Promise<T>): Promise<T> => {
    const [began, built] = [performance.now(), engine.lanes.here.buildSeconds];
    const result = await work();
    times[part] += (performance.now() - began) / 1000 - (engine.lanes.here.buildSeconds - built);
    return result;
  };
  try {
    const labels = passes.reduce((sum, pass) => sum + pass.labels, 0);
    for (const pass of passes) {
      if (signal.aborted) throw new InterruptedError();
      const state = await timed('forward', () => engine.forward(pass, trained.layers, true));
      const each = pass.targets.map(({ share = 1 }) => share / labels);
      const { dy } = await timed('head', () => engine.loss(state, each, outer));
      await timed('backward', () => engine.backward(state, dy!, trained.layers, grads, outer));
    }
    const began = performance.now();
    const { learningRate, gradientClip, weightDecay } = settings;
    const gradient = { loss: 0, labels, grads };
    const moments = zeroMoments(trained);
    applyGradient(trained, moments, gradient, 1, learningRate, gradientClip, { ...ADAMW_DEFAULTS, weightDecay });
    const optimizer = (performance.now() - began) / 1000;
    return { ...times, optimizerPerParameter: optimizer / trainedSize(trained) };
  } finally {
    await engine.release();
  }
}

/** Parameters that are trained in all layers. */
function parametersOf(config: ModelConfig, settings: TrainSettings, seed: number, model: RuntimeModel): number {
  if (settings.method !== 'full')
    return (trainedSize(startOf(model, settings, seed)) * config.layers) / MEASURED_LAYERS;
  const sizes = [...hubWeightShapes(config).values()].map((shape) => shape.reduce((n, length) => n * length, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}
