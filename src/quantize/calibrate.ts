/** Runs samples through the f32 model and records the largest activation of each channel that SmoothQuant smooths. */

import { Engine, type LayerAdapter } from '../engine/engine.ts';
import type { Floats } from '../engine/floats.ts';
import { packSequences, type TokenSequence } from '../engine/pack.ts';
import type { Tensor } from '../graph/value.ts';
import type { ModelConfig, ModelWeights } from '../model/config.ts';
import { GELU_TERMS, linearGroups } from '../model/decoder-layer.ts';
import { f32Model, groupWeight } from '../model/runtime-model.ts';
import type { SessionSettings } from '../onnx/session.ts';
import { type Smoothing, smoothingScales } from './smooth-quant.ts';

export interface CalibrationSettings extends SessionSettings {
  /** Migration strength alpha of what norms feed. */
  readonly smoothing: number;
  /** Of what down reads; default: the same. */
  readonly smoothingDown?: number;
  /** An adapter that is part of the model, and its scale. */
  readonly adapter?: { readonly layers: readonly LayerAdapter[]; readonly rank: number; readonly scale: number };
}

/** Smoothing scales of a model on samples of its own job. */
export async function calibrate(
  weights: ModelWeights,
  samples: readonly TokenSequence[],
  settings: CalibrationSettings,
): Promise<Smoothing> {
  const { adapter, smoothing, smoothingDown = smoothing } = settings;
  const engine = new Engine(f32Model(weights), { ...settings, ...(adapter ? { lora: adapter } : {}) });
  const { config } = weights;
  const largest = Array.from({ length: config.layers }, () => ({
    qkv: new Float32Array(config.hiddenSize),
    gateUp: new Float32Array(config.hiddenSize),
    down: new Float32Array(config.intermediateSize),
  }));
  for (const sequences of passes(samples)) {
    const packed = packSequences(sequences);
    await engine.observe(packed, adapter?.layers ?? [], (layer, { x, kept }) => {
      const record = (into: Float32Array, values: Floats, norm: Tensor) =>
        recordNormed(into, values, norm.data as Float32Array, config.normEpsilon, packed.real);
      const { norm1, norm2 } = engine.model.layers[layer]!;
      record(largest[layer]!.qkv, x, norm1!);
      record(largest[layer]!.gateUp, kept.middle, norm2!);
      recordGated(largest[layer]!.down, kept.gate, kept.up, config.activation, packed.real);
    });
  }
  await engine.release();
  const groups = linearGroups(config);
  return largest.map((absmax, layer) => ({
    qkv: smoothingScales(absmax.qkv, groupWeight(weights, layer, groups.qkv), smoothing),
    gateUp: smoothingScales(absmax.gateUp, groupWeight(weights, layer, groups.gateUp), smoothing),
    down: smoothingScales(absmax.down, groupWeight(weights, layer, groups.down), smoothingDown),
  }));
}

/** Tokens of one pass, before sharing. */
const PASS_TOKENS = 4096;

function* passes(samples: readonly TokenSequence[]): Generator<TokenSequence[]> {
  let pass: TokenSequence[] = [];
  let tokens = 0;
  for (const sample of samples) {
    if (pass.length > 0 && tokens + sample.tokens.length > PASS_TOKENS) {
      yield pass;
      pass = [];
      tokens = 0;
    }
    pass.push(sample);
    tokens += sample.tokens.length;
  }
  if (pass.length > 0) yield pass;
}

/** At least `count` samples, whole documents from all over the list: a document's samples share most of their tokens. */
export function calibrationSamples<T extends { readonly docId: string }>(samples: readonly T[], count: number): T[] {
  const documents = [...new Set(samples.map(({ docId }) => docId))];
  const wanted = Math.max(1, Math.ceil((count * documents.length) / Math.max(1, samples.length)));
  const stride = documents.length / wanted;
  const chosen = new Set(Array.from({ length: wanted }, (_, i) => documents[Math.floor(i * stride)]));
  return samples.filter(({ docId }) => chosen.has(docId));
}

/** Raises `largest[j]` to max over real rows of |x_j r w_j|, r = 1 / sqrt(mean(x^2) + epsilon). */
function recordNormed(
  largest: Float32Array,
  x: ArrayLike<number>,
  weight: Float32Array,
  epsilon: number,
  real: Uint8Array,
): void {
  const width = weight.length;
  for (let row = 0; row * width < x.length; row++) {
    if (!real[row]) continue;
    let squares = 0;
    for (let j = 0; j < width; j++) squares += x[row * width + j]! ** 2;
    const r = 1 / Math.sqrt(squares / width + epsilon);
    for (let j = 0; j < width; j++) {
      const magnitude = Math.abs(x[row * width + j]! * r * weight[j]!);
      if (magnitude > largest[j]!) largest[j] = magnitude;
    }
  }
}

/** Raises `largest[j]` to max over real rows of |act(gate_j) up_j|, act as in model/decoder-layer.ts. */
function recordGated(
  largest: Float32Array,
  gate: Floats,
  up: Floats,
  kind: ModelConfig['activation'],
  real: Uint8Array,
): void {
  const width = largest.length;
  const [linear, cubic] = kind === 'silu' ? [1, 0] : GELU_TERMS;
  for (let row = 0; row * width < gate.length; row++) {
    if (!real[row]) continue;
    for (let j = 0; j < width; j++) {
      const x = gate[row * width + j]!;
      const magnitude = Math.abs((x * up[row * width + j]!) / (1 + Math.exp(-x * (linear + cubic * x * x))));
      if (magnitude > largest[j]!) largest[j] = magnitude;
    }
  }
}
