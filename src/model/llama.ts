/** The Llama family's wiring (arXiv 2302.13971; GQA, SwiGLU, rotary halves as on the hub): layers as graph functions. */

import type { GraphBuilder, Value } from '../graph/graph.ts';
import type { DType } from '../graph/value.ts';
import type { ModelConfig } from './config.ts';
import { type LinearGroup, type LinearSettings, linear } from './linear.ts';

/** The four products of a layer, in the order of the forward pass. */
export function linearGroups(config: ModelConfig): Record<LinearGroup['name'], LinearGroup> {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim } = config;
  return {
    qkv: {
      name: 'qkv',
      inputs: hiddenSize,
      parts: [
        { name: 'q', outputs: heads * headDim },
        { name: 'k', outputs: kvHeads * headDim },
        { name: 'v', outputs: kvHeads * headDim },
      ],
    },
    o: { name: 'o', inputs: heads * headDim, parts: [{ name: 'o', outputs: hiddenSize }] },
    gateUp: {
      name: 'gateUp',
      inputs: hiddenSize,
      parts: [
        { name: 'gate', outputs: intermediateSize },
        { name: 'up', outputs: intermediateSize },
      ],
    },
    down: { name: 'down', inputs: intermediateSize, parts: [{ name: 'down', outputs: hiddenSize }] },
  };
}

/** Root-mean-square norm of `[rows, hidden]` with the weight input `name`. */
export function rmsNorm(g: GraphBuilder, x: Value, name: string, epsilon: number): Value {
  const weight = g.input(name, x.dtype, [x.shape[x.shape.length - 1]!]);
  return g.op('SimplifiedLayerNormalization', [x, weight], { epsilon });
}

/**
 * Rotary position embedding (arXiv 2104.09864) of `[rows, heads, d]`, the halves of d paired:
 *   (a, b) -> (a cos - b sin, b cos + a sin), cos and sin `[rows, 1, d / 2]`.
 */
function rotary(g: GraphBuilder, x: Value, cos: Value, sin: Value): Value {
  const half = x.shape[2]! / 2;
  const [a, b] = g.apply('Split', [x], { axis: 2, sizes: [half, half] }) as [Value, Value];
  const first = g.op('Sub', [g.op('Mul', [a, cos]), g.op('Mul', [b, sin])]);
  const second = g.op('Add', [g.op('Mul', [b, cos]), g.op('Mul', [a, sin])]);
  return g.op('Concat', [first, second], { axis: 2 });
}

/**
 * What happens before attention: x `[rows, hidden]` -> q `[rows, heads * d]`, k and v `[rows, kvHeads * d]`,
 * queries and keys rotated. Inputs: x, cos, sin `[rows, 1, d / 2]`, norm1, and the qkv group's.
 */
export function beforeAttention(g: GraphBuilder, config: ModelConfig, rows: number, settings: LinearSettings) {
  const { hiddenSize, heads, kvHeads, headDim, normEpsilon } = config;
  const dtype: DType = settings.dtype ?? 'float32';
  const x = g.input('x', dtype, [rows, hiddenSize]);
  const cos = g.input('cos', dtype, [rows, 1, headDim / 2]);
  const sin = g.input('sin', dtype, [rows, 1, headDim / 2]);
  const qkv = linear(g, rmsNorm(g, x, 'norm1', normEpsilon), linearGroups(config).qkv, settings);
  const rotated = (heads + kvHeads) * headDim;
  const [qk, v] = g.apply('Split', [qkv], { axis: 1, sizes: [rotated, kvHeads * headDim] }) as [Value, Value];
  const turned = rotary(g, g.op('Reshape', [qk], { shape: [rows, heads + kvHeads, headDim] }), cos, sin);
  const [q, k] = g.apply('Split', [g.op('Reshape', [turned], { shape: [rows, rotated] })], {
    axis: 1,
    sizes: [heads * headDim, kvHeads * headDim],
  }) as [Value, Value];
  return { x, q, k, v };
}

/**
 * What happens after attention: x (the layer's input) and o (attention output) -> y `[rows, hidden]`.
 * Inputs: x, o, norm2, and the o, gateUp and down groups'. `middle` (the residual stream between attention and MLP) and
 * `gateUp` are what a backward pass would rather keep than compute again.
 */
export function afterAttention(g: GraphBuilder, config: ModelConfig, rows: number, settings: LinearSettings) {
  const { hiddenSize, intermediateSize, heads, headDim, normEpsilon } = config;
  const dtype: DType = settings.dtype ?? 'float32';
  const groups = linearGroups(config);
  const x = g.input('x', dtype, [rows, hiddenSize]);
  const o = g.input('o', dtype, [rows, heads * headDim]);
  const middle = g.op('Add', [x, linear(g, o, groups.o, settings)]);
  const gateUp = linear(g, rmsNorm(g, middle, 'norm2', normEpsilon), groups.gateUp, settings);
  const [gate, up] = g.apply('Split', [gateUp], { axis: 1, sizes: [intermediateSize, intermediateSize] }) as [
    Value,
    Value,
  ];
  const activated = g.op('Mul', [g.op('Mul', [gate, g.op('Sigmoid', [gate])]), up]);
  const y = g.op('Add', [middle, linear(g, activated, groups.down, settings)]);
  return { x, o, middle, gateUp, y };
}

/** Attention of one segment of `rows` tokens over `prefix` earlier tokens and itself. Inputs: q, k, v, mask. */
export function segmentAttention(
  g: GraphBuilder,
  config: ModelConfig,
  rows: number,
  prefix: number,
  block: number,
  dtype: DType = 'float32',
) {
  const { heads, kvHeads, headDim } = config;
  const q = g.input('q', dtype, [rows, heads * headDim]);
  const k = g.input('k', dtype, [prefix + rows, kvHeads * headDim]);
  const v = g.input('v', dtype, [prefix + rows, kvHeads * headDim]);
  const mask = g.input('mask', dtype, [block, block]);
  const o = g.op('CausalAttention', [q, k, v, mask], { heads, kvHeads, block, scale: 1 / Math.sqrt(headDim) });
  return { q, k, v, o };
}
