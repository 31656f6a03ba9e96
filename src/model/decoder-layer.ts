/** A decoder's layers as graph functions, wired as the config's family says (Wiring in config.ts). */

import type { GraphBuilder, Value } from '../graph/graph.ts';
import type { DType } from '../graph/value.ts';
import type { ModelConfig } from './config.ts';
import { type LinearGroup, type LinearSettings, linear } from './linear.ts';

/** 2 z of the GELU = x (first + second x^2). */
export const GELU_TERMS = [2 * Math.sqrt(2 / Math.PI), 2 * Math.sqrt(2 / Math.PI) * 0.044715] as const;

/** The linears of a layer by what they read, in the order of the forward pass. */
export function linearGroups(config: ModelConfig): Record<LinearGroup['name'], LinearGroup> {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim, qkvBias } = config;
  return {
    qkv: {
      name: 'qkv',
      inputs: hiddenSize,
      bias: qkvBias,
      parts: [
        { name: 'q', outputs: heads * headDim },
        { name: 'k', outputs: kvHeads * headDim },
        { name: 'v', outputs: kvHeads * headDim },
      ],
    },
    o: { name: 'o', inputs: heads * headDim, bias: false, parts: [{ name: 'o', outputs: hiddenSize }] },
    gateUp: {
      name: 'gateUp',
      inputs: hiddenSize,
      bias: false,
      parts: [
        { name: 'gate', outputs: intermediateSize },
        { name: 'up', outputs: intermediateSize },
      ],
    },
    down: { name: 'down', inputs: intermediateSize, bias: false, parts: [{ name: 'down', outputs: hiddenSize }] },
  };
}

/** Root-mean-square norm over the last axis with the weight input `name`. */
export function rmsNorm(g: GraphBuilder, x: Value, name: string, epsilon: number): Value {
  const weight = g.input(name, x.dtype, [x.shape[x.shape.length - 1]!]);
  return g.op('SimplifiedLayerNormalization', [x, weight], { epsilon });
}

/**
 * The MLP's gate, x s(f(x)) with s the logistic function:
 *   silu: f = x; gelu: x (1 + tanh z) / 2 = x s(2 z) with z = sqrt(2 / pi) (x + 0.044715 x^3) (arXiv 1606.08415).
 */
function activation(g: GraphBuilder, x: Value, kind: ModelConfig['activation']): Value {
  if (kind === 'silu') return g.op('Silu', [x]);
  const [linearTerm, cubicTerm] = GELU_TERMS.map((term) => g.scalar(term, x.dtype)) as [Value, Value];
  const slope = g.op('Add', [g.op('Mul', [g.op('Mul', [x, x]), cubicTerm]), linearTerm]);
  return g.op('Mul', [x, g.op('Sigmoid', [g.op('Mul', [x, slope])])]);
}

/**
 * What happens before attention: x `[rows, hidden]` -> q `[rows, heads * d]`, k and v `[rows, kvHeads * d]`,
 * queries and keys rotated. Inputs: x, cos, sin `[rows, d / 2]`, norm1, normQ and normK where heads have norms, and the
 * qkv group's.
 */
export function beforeAttention(g: GraphBuilder, config: ModelConfig, rows: number, settings: LinearSettings) {
  const { hiddenSize, heads, kvHeads, headDim, normEpsilon } = config;
  const dtype: DType = settings.dtype ?? 'float32';
  const x = g.input('x', dtype, [rows, hiddenSize]);
  const cos = g.input('cos', dtype, [rows, headDim / 2]);
  const sin = g.input('sin', dtype, [rows, headDim / 2]);
  const qkv = linear(g, rmsNorm(g, x, 'norm1', normEpsilon), linearGroups(config).qkv, settings);
  const [queries, keys, v] = qkv as [Value, Value, Value];
  const turned = (value: Value, count: number, norm: string) => {
    const width = count * headDim;
    const normed = config.headNorms
      ? rmsNorm(g, g.op('Reshape', [value], { shape: [rows, count, headDim] }), norm, normEpsilon)
      : value;
    const rotated = g.op('RotaryEmbedding', [g.op('Reshape', [normed], { shape: [1, rows, width] }), cos, sin]);
    return g.op('Reshape', [rotated], { shape: [rows, width] });
  };
  return { x, q: turned(queries, heads, 'normQ'), k: turned(keys, kvHeads, 'normK'), v };
}

/**
 * What happens after attention: x (the layer's input) and o (attention output; default: an input) -> y `[rows, hidden]`.
 * Inputs: x, norm2, normAttention and normMlp where outputs have norms, and the o, gateUp and down groups'. `middle`
 * (the residual stream between attention and MLP), `gate` and `up` are what a backward pass would rather keep than compute
 * again.
 */
export function afterAttention(
  g: GraphBuilder,
  config: ModelConfig,
  rows: number,
  settings: LinearSettings,
  o: Value = g.input('o', settings.dtype ?? 'float32', [rows, config.heads * config.headDim]),
) {
  const { hiddenSize, normEpsilon } = config;
  const dtype: DType = settings.dtype ?? 'float32';
  const groups = linearGroups(config);
  const x = g.input('x', dtype, [rows, hiddenSize]);
  const outputNorm = (output: Value, name: string) =>
    config.outputNorms ? rmsNorm(g, output, name, normEpsilon) : output;
  const [attended] = linear(g, o, groups.o, settings) as [Value];
  const middle = g.op('Add', [x, outputNorm(attended, 'normAttention')]);
  const gateUp = linear(g, rmsNorm(g, middle, 'norm2', normEpsilon), groups.gateUp, settings);
  const [gate, up] = gateUp as [Value, Value];
  const activated = g.op('Mul', [activation(g, gate, config.activation), up]);
  const [mlp] = linear(g, activated, groups.down, settings) as [Value];
  const y = g.op('Add', [middle, outputNorm(mlp, 'normMlp')]);
  return { x, o, middle, gate, up, y };
}

/** One segment's attention: `rows` tokens over `prefix` earlier ones and themselves. */
export interface AttentionShape {
  readonly rows: number;
  readonly prefix: number;
  /** Query rows computed at once. */
  readonly block: number;
  /** Tokens a row sees, its own included; undefined: all. */
  readonly window?: number | undefined;
}

/** A config whose attention is that of one key head with its queries. */
export function oneKeyHead(config: ModelConfig): ModelConfig {
  return { ...config, heads: config.heads / config.kvHeads, kvHeads: 1 };
}

/** Inputs: q, k, v, mask. */
export function segmentAttention(
  g: GraphBuilder,
  config: ModelConfig,
  { rows, prefix, block, window }: AttentionShape,
  dtype: DType = 'float32',
) {
  const { heads, kvHeads, headDim, scoreScale: scale } = config;
  const q = g.input('q', dtype, [rows, heads * headDim]);
  const k = g.input('k', dtype, [prefix + rows, kvHeads * headDim]);
  const v = g.input('v', dtype, [prefix + rows, kvHeads * headDim]);
  const mask = g.input('mask', dtype, [block, block]);
  const layout = { heads, kvHeads, block, scale, ...(window === undefined ? {} : { window }) };
  const o = g.op('CausalAttention', [q, k, v, mask], layout);
  return { q, k, v, o };
}
