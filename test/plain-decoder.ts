/**
 * The decoder of every family in plain float64 loops, one sequence at a time, written from its papers: what the engine is held
 * against. It shares nothing with src/model but the names of tensors.
 */

import type { LayerAdapter } from '../src/engine/engine.ts';
import type { TokenSequence } from '../src/engine/pack.ts';
import { LINEAR_NAMES, type LinearName, type ModelWeights } from '../src/model/config.ts';
import { quantizeRow } from './reference.ts';

type Row = readonly number[];

export interface PlainModel {
  readonly weights: ModelWeights;
  /** One linear of a layer, adapter included. */
  readonly linear: (layer: number, name: LinearName, x: Row) => Row;
  /** What the norm before a group is divided by. */
  readonly smoothing?: readonly {
    readonly qkv: ArrayLike<number>;
    readonly gateUp: ArrayLike<number>;
    readonly down?: ArrayLike<number>;
  }[];
}

export interface PlainAdapter {
  readonly layers: readonly LayerAdapter[];
  readonly rank: number;
  readonly scale: number;
}

/** Each linear's group in adapters, and its place there. */
const PLACE: Record<LinearName, readonly [group: string, index: number, parts: number]> = {
  q: ['qkv', 0, 3],
  k: ['qkv', 1, 3],
  v: ['qkv', 2, 3],
  o: ['o', 0, 1],
  gate: ['gateUp', 0, 2],
  up: ['gateUp', 1, 2],
  down: ['down', 0, 1],
};

function matrix(weights: ModelWeights, name: string): Row[] {
  const { shape, data } = weights.tensors.get(name)!;
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)));
}

const linearWeight = (weights: ModelWeights, layer: number, name: LinearName) =>
  matrix(weights, `model.layers.${layer}.${LINEAR_NAMES[name]}.weight`);

function dot(a: Row, b: Row): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function memoized<T>(make: (layer: number, name: LinearName) => T): (layer: number, name: LinearName) => T {
  const known = new Map<string, T>();
  return (layer, name) => {
    const key = `${layer} ${name}`;
    if (!known.has(key)) known.set(key, make(layer, name));
    return known.get(key)!;
  };
}

/** scale (x A) B of one linear. */
function adapterPart(
  { layers, rank, scale }: PlainAdapter,
  layer: number,
  name: LinearName,
  x: Row,
  outputs: number,
): Row {
  const [group, index, parts] = PLACE[name];
  const a = layers[layer]![`${group}.A`]!.data as Float64Array;
  const b = layers[layer]![`${group}.B.${name}`]!.data as Float64Array;
  const h = Array.from({ length: rank }, (_, r) =>
    x.reduce((sum, value, i) => sum + value * a[i * rank * parts + index * rank + r]!, 0),
  );
  return Array.from(
    { length: outputs },
    (_, o) => scale * h.reduce((sum, value, r) => sum + value * b[r * outputs + o]!, 0),
  );
}

function withAdapter(linear: PlainModel['linear'], adapter: PlainAdapter | undefined): PlainModel['linear'] {
  if (!adapter) return linear;
  return (layer, name, x) => {
    const base = linear(layer, name, x);
    const beside = adapterPart(adapter, layer, name, x, base.length);
    return base.map((y, i) => y + beside[i]!);
  };
}

/** A linear's bias, zero where it has none. */
function biasOf(weights: ModelWeights, layer: number, name: LinearName, output: number): number {
  return weights.tensors.get(`model.layers.${layer}.${LINEAR_NAMES[name]}.bias`)?.data[output] ?? 0;
}

/** y = W x + b. */
export function plainModel(weights: ModelWeights, adapter?: PlainAdapter): PlainModel {
  const weightOf = memoized((layer, name) => linearWeight(weights, layer, name));
  const linear: PlainModel['linear'] = (layer, name, x) =>
    weightOf(layer, name).map((w, output) => dot(w, x) + biasOf(weights, layer, name, output));
  return { weights, linear: withAdapter(linear, adapter) };
}

/** y = quantize(W s) quantize(x) + b: weights with a scale a row, activations with one a token, both symmetric. */
export function gridModel(
  weights: ModelWeights,
  smoothing: NonNullable<PlainModel['smoothing']>,
  adapter?: PlainAdapter,
): PlainModel {
  const codesOf = memoized((layer, name) => {
    const [group] = PLACE[name];
    const s = group === 'qkv' || group === 'gateUp' || group === 'down' ? smoothing[layer]![group] : undefined;
    // The outputs of up are what down's scales divide.
    const outputs = name === 'up' ? smoothing[layer]!.down : undefined;
    return linearWeight(weights, layer, name).map((row, output) => {
      const smoothed = row.map((w, i) => Math.fround(w * (s?.[i] ?? 1)));
      const scale = Math.fround(Math.max(...smoothed.map(Math.abs)) / 127);
      return {
        codes: smoothed.map((w) => Math.round(w / scale)),
        scale: Math.fround(scale / (outputs?.[output] ?? 1)),
      };
    });
  });
  const linear: PlainModel['linear'] = (layer, name, x) => {
    const { codes, step } = quantizeRow(x);
    return codesOf(layer, name).map(
      (weight, output) => dot(weight.codes, codes) * step * weight.scale + biasOf(weights, layer, name, output),
    );
  };
  return { weights, linear: withAdapter(linear, adapter), smoothing };
}

function rmsNorm(x: Row, weight: Row, epsilon: number): Row {
  const r = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value, i) => value * r * weight[i]!);
}

/** Rotates the pairs (i, i + d / 2) of every head by position * theta^(-2 i / d). */
function rotate(x: Row, d: number, position: number, theta: number): Row {
  const half = d / 2;
  return x.map((value, i) => {
    const place = i % d;
    const angle = position * theta ** ((-2 * (place % half)) / d);
    return place < half
      ? value * Math.cos(angle) - x[i + half]! * Math.sin(angle)
      : value * Math.cos(angle) + x[i - half]! * Math.sin(angle);
  });
}

const silu = (x: number) => x / (1 + Math.exp(-x));
const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** A norm's weight; Gemma's are stored less one. In float32, as the engine holds it. */
function normWeight(weights: ModelWeights, name: string): Row {
  const stored = matrix(weights, name)[0]!;
  return weights.config.family === 'gemma3_text' ? stored.map((w) => Math.fround(1 + w)) : stored;
}

function softmax(scores: Row): Row {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/** The last layer's output `[tokens][hidden]`, before the final norm. */
export function plainHidden(model: PlainModel, tokens: ArrayLike<number>): Row[] {
  const { config } = model.weights;
  const { heads, kvHeads, headDim: d, normEpsilon, family } = config;
  const isGemma = family === 'gemma3_text';
  // The scale of a product is an f32 attribute of ONNX, in float64 graphs too.
  const scale = Math.fround(config.scoreScale);
  const embedding = matrix(model.weights, 'model.embed_tokens.weight');
  let xs: Row[] = Array.from(tokens, (token) =>
    embedding[token]!.map((value) => (isGemma ? value * Math.sqrt(config.hiddenSize) : value)),
  );
  for (let layer = 0; layer < config.layers; layer++) {
    const linear = (name: LinearName, x: Row) => model.linear(layer, name, x);
    const norm = (x: Row, name: string, s?: ArrayLike<number>) => {
      const weight = normWeight(model.weights, `model.layers.${layer}.${name}.weight`);
      return rmsNorm(x, s ? weight.map((w, i) => Math.fround(w / s[i]!)) : weight, normEpsilon);
    };
    const slides = config.sliding?.layers[layer];
    const { theta } = slides ? config.sliding!.rope : config.rope;
    const window = slides ? config.sliding!.window : tokens.length;
    const smoothing = model.smoothing?.[layer];
    const headNorms = (x: Row, name: string) =>
      family === 'qwen3' || isGemma
        ? Array.from({ length: x.length / d }, (_, h) => norm(x.slice(h * d, (h + 1) * d), name)).flat()
        : x;
    const before = xs.map((x) => norm(x, 'input_layernorm', smoothing?.qkv));
    const turned = (name: 'q' | 'k') =>
      before.map((x, position) => rotate(headNorms(linear(name, x), `self_attn.${name}_norm`), d, position, theta));
    const [q, k] = [turned('q'), turned('k')];
    const v = before.map((x) => linear('v', x));
    xs = xs.map((x, i) => {
      const attended = Array.from({ length: heads }, (_, head) => {
        const from = Math.floor(head / (heads / kvHeads)) * d;
        const query = q[i]!.slice(head * d, (head + 1) * d);
        const first = Math.max(0, i + 1 - window);
        const scores = k.slice(first, i + 1).map((key) => dot(query, key.slice(from, from + d)) * scale);
        const p = softmax(scores);
        return Array.from({ length: d }, (_, c) =>
          p.reduce((sum, weight, j) => sum + weight * v[first + j]![from + c]!, 0),
        );
      }).flat();
      const product = linear('o', attended);
      const out = isGemma ? norm(product, 'post_attention_layernorm') : product;
      const middle = x.map((value, c) => value + out[c]!);
      const innerNorm = isGemma ? 'pre_feedforward_layernorm' : 'post_attention_layernorm';
      const inner = norm(middle, innerNorm, smoothing?.gateUp);
      const up = linear('up', inner);
      const activated = linear('gate', inner).map((gate, c) => (isGemma ? gelu(gate) : silu(gate)) * up[c]!);
      const mlp = linear('down', activated);
      const down = isGemma ? norm(mlp, 'post_feedforward_layernorm') : mlp;
      return middle.map((value, c) => value + down[c]!);
    });
  }
  return xs;
}

/** -log p of every label of a sequence, in nats. */
export function plainLosses(model: PlainModel, { tokens, labelsFrom }: TokenSequence): number[] {
  const { weights } = model;
  const norm = normWeight(weights, 'model.norm.weight');
  const head = matrix(weights, weights.config.tieEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
  const xs = plainHidden(model, tokens);
  const losses: number[] = [];
  for (let i = Math.max(1, labelsFrom); i < tokens.length; i++) {
    const x = rmsNorm(xs[i - 1]!, norm, weights.config.normEpsilon);
    losses.push(-Math.log(softmax(head.map((row) => dot(row, x)))[tokens[i]!]!));
  }
  return losses;
}
