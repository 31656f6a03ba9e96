/**
 * The Llama decoder in plain float64 loops, one sequence at a time, written from its papers: what the engine is held
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
  readonly smoothing?: readonly { readonly qkv: ArrayLike<number>; readonly gateUp: ArrayLike<number> }[];
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

/** y = W x. */
export function plainModel(weights: ModelWeights, adapter?: PlainAdapter): PlainModel {
  const weightOf = memoized((layer, name) => linearWeight(weights, layer, name));
  return { weights, linear: withAdapter((layer, name, x) => weightOf(layer, name).map((w) => dot(w, x)), adapter) };
}

/** y = quantize(W s) quantize(x): weights with a scale a row, activations with one a token, both symmetric. */
export function gridModel(
  weights: ModelWeights,
  smoothing: NonNullable<PlainModel['smoothing']>,
  adapter?: PlainAdapter,
): PlainModel {
  const codesOf = memoized((layer, name) => {
    const [group] = PLACE[name];
    const s = group === 'qkv' || group === 'gateUp' ? smoothing[layer]![group] : undefined;
    return linearWeight(weights, layer, name).map((row) => {
      const smoothed = row.map((w, i) => Math.fround(w * (s?.[i] ?? 1)));
      const scale = Math.fround(Math.max(...smoothed.map(Math.abs)) / 127);
      return { codes: smoothed.map((w) => Math.round(w / scale)), scale };
    });
  });
  const linear: PlainModel['linear'] = (layer, name, x) => {
    const { codes, step } = quantizeRow(x);
    return codesOf(layer, name).map((weight) => dot(weight.codes, codes) * step * weight.scale);
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

function softmax(scores: Row): Row {
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
}

/** The last layer's output `[tokens][hidden]`, before the final norm. */
export function plainHidden(model: PlainModel, tokens: ArrayLike<number>): Row[] {
  const { config } = model.weights;
  const { heads, kvHeads, headDim: d, normEpsilon, ropeTheta } = config;
  const embedding = matrix(model.weights, 'model.embed_tokens.weight');
  let xs: Row[] = Array.from(tokens, (token) => embedding[token]!);
  for (let layer = 0; layer < config.layers; layer++) {
    const linear = (name: LinearName, x: Row) => model.linear(layer, name, x);
    const normed = (x: Row, name: string, group: 'qkv' | 'gateUp') => {
      const s = model.smoothing?.[layer]?.[group];
      const weight = matrix(model.weights, `model.layers.${layer}.${name}.weight`)[0]!;
      return rmsNorm(x, s ? weight.map((w, i) => Math.fround(w / s[i]!)) : weight, normEpsilon);
    };
    const before = xs.map((x) => normed(x, 'input_layernorm', 'qkv'));
    const q = before.map((x, position) => rotate(linear('q', x), d, position, ropeTheta));
    const k = before.map((x, position) => rotate(linear('k', x), d, position, ropeTheta));
    const v = before.map((x) => linear('v', x));
    xs = xs.map((x, i) => {
      const attended = Array.from({ length: heads }, (_, head) => {
        const from = Math.floor(head / (heads / kvHeads)) * d;
        const query = q[i]!.slice(head * d, (head + 1) * d);
        const p = softmax(k.slice(0, i + 1).map((key) => dot(query, key.slice(from, from + d)) / Math.sqrt(d)));
        return Array.from({ length: d }, (_, c) => p.reduce((sum, weight, j) => sum + weight * v[j]![from + c]!, 0));
      }).flat();
      const out = linear('o', attended);
      const middle = x.map((value, c) => value + out[c]!);
      const inner = normed(middle, 'post_attention_layernorm', 'gateUp');
      const up = linear('up', inner);
      const activated = linear('gate', inner).map((gate, c) => (gate / (1 + Math.exp(-gate))) * up[c]!);
      const down = linear('down', activated);
      return middle.map((value, c) => value + down[c]!);
    });
  }
  return xs;
}

/** -log p of every label of a sequence, in nats. */
export function plainLosses(model: PlainModel, { tokens, labelsFrom }: TokenSequence): number[] {
  const { weights } = model;
  const norm = matrix(weights, 'model.norm.weight')[0]!;
  const head = matrix(weights, weights.config.tieEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');
  const xs = plainHidden(model, tokens);
  const losses: number[] = [];
  for (let i = Math.max(1, labelsFrom); i < tokens.length; i++) {
    const x = rmsNorm(xs[i - 1]!, norm, weights.config.normEpsilon);
    losses.push(-Math.log(softmax(head.map((row) => dot(row, x)))[tokens[i]!]!));
  }
  return losses;
}
