/** A linear layer (or several that share their input) with frozen base weights in f32 or int8, and LoRA beside it. */

import type { GraphBuilder, Value } from '../graph/graph.ts';
import type { DType, Tensor } from '../graph/value.ts';
import type { LinearName } from './config.ts';

/** Linears that read the same input are one product: their outputs lie side by side. */
export interface LinearGroup {
  readonly name: 'qkv' | 'o' | 'gateUp' | 'down';
  readonly inputs: number;
  /** A bias is added to the base's product. */
  readonly bias: boolean;
  readonly parts: readonly { readonly name: LinearName; readonly outputs: number }[];
}

export type Precision = 'f32' | 'w8a8';

export interface LinearSettings {
  readonly precision: Precision;
  /** Absent: no adapter. */
  readonly lora?: {
    readonly rank: number;
    readonly scale: number;
    /** Groups of several parts read `<group>.B` of jointB() instead of one B a part: for adapters that stay as they are. */
    readonly joint?: boolean;
  };
  /** Backward graphs give the gradients of all weights (f32 without an adapter), not those of an adapter. */
  readonly full?: boolean;
  /** Type of activations; float64 serves the tests (f32 precision only). */
  readonly dtype?: DType;
}

export const outputsOf = (group: LinearGroup): number => group.parts.reduce((n, part) => n + part.outputs, 0);

/** Names and shapes of a group's LoRA parameters: one A `[inputs, rank * parts]`, one B `[rank, outputs]` a part. */
export function loraShapes(group: LinearGroup, rank: number): Record<string, readonly number[]> {
  return {
    [`${group.name}.A`]: [group.inputs, rank * group.parts.length],
    ...Object.fromEntries(group.parts.map((part) => [`${group.name}.B.${part.name}`, [rank, part.outputs]])),
  };
}

/**
 * y = x W + bias + scale (x A) B for x `[rows, inputs]`, y `[rows, sum of outputs]` (LoRA: arXiv 2106.09685).
 *
 * Graph inputs it reads: `<group>.weight` f32 `[outputs, inputs]`, or `<group>.int8` `[inputs, outputs]`,
 * `<group>.scale` `[outputs]` and `<group>.int8t` `[outputs, inputs]`; `<group>.bias` `[outputs]` where the group has
 * one; and those of loraShapes.
 */
export function linear(g: GraphBuilder, x: Value, group: LinearGroup, settings: LinearSettings): Value {
  const { precision, lora, dtype = 'float32' } = settings;
  const outputs = outputsOf(group);
  const { name, inputs } = group;
  const product =
    precision === 'f32'
      ? g.op('MatMul', [x, g.input(`${name}.weight`, dtype, [outputs, inputs])], { transB: 1 })
      : g.op('Int8MatMul', [
          x,
          g.input(`${name}.int8`, 'int8', [inputs, outputs]),
          g.input(`${name}.scale`, 'float32', [outputs]),
          g.input(`${name}.int8t`, 'int8', [outputs, inputs]),
        ]);
  const base = group.bias ? g.op('Add', [product, g.input(`${name}.bias`, dtype, [outputs])]) : product;
  if (!lora) return base;
  const shapes = loraShapes(group, lora.rank);
  const parameter = (key: string) => g.input(key, dtype, shapes[key]!);
  const h = g.op('MatMul', [x, parameter(`${name}.A`)]);
  const b =
    lora.joint && group.parts.length > 1
      ? g.input(`${name}.B`, dtype, [lora.rank * group.parts.length, outputs])
      : blockDiagonal(g, group, parameter);
  return g.op('Gemm', [h, b, base], { alpha: lora.scale });
}

/** A layer's adapter as graphs with `joint` read it: the B matrices of a group's parts laid out as blockDiagonal() does. */
export function jointB(
  groups: readonly LinearGroup[],
  layer: Readonly<Record<string, Tensor>>,
  rank: number,
): Record<string, Tensor> {
  const joint: Record<string, Tensor> = { ...layer };
  for (const group of groups) {
    if (group.parts.length === 1) continue;
    const total = outputsOf(group);
    const data = new Float32Array(rank * group.parts.length * total);
    let left = 0;
    for (const [i, { name, outputs }] of group.parts.entries()) {
      const key = `${group.name}.B.${name}`;
      const part = layer[key]!.data as Float32Array;
      for (let row = 0; row < rank; row++) {
        data.set(part.subarray(row * outputs, (row + 1) * outputs), (i * rank + row) * total + left);
      }
      left += outputs;
      delete joint[key];
    }
    joint[`${group.name}.B`] = { dtype: 'float32', shape: [rank * group.parts.length, total], data };
  }
  return joint;
}

/** The parts' B matrices as one `[rank * parts, outputs]`, zero off the diagonal: one product instead of one a part. */
function blockDiagonal(g: GraphBuilder, group: LinearGroup, parameter: (key: string) => Value): Value {
  if (group.parts.length === 1) return parameter(`${group.name}.B.${group.parts[0]!.name}`);
  const total = outputsOf(group);
  let left = 0;
  const rows = group.parts.map((part) => {
    const b = parameter(`${group.name}.B.${part.name}`);
    const padded = g.op('Pad', [b], { pads: [0, left, 0, total - left - part.outputs] });
    left += part.outputs;
    return padded;
  });
  return g.op('Concat', rows, { axis: 0 });
}
