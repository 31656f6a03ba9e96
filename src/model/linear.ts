/** Linears that share their input, with frozen base weights in f32 or int8, and LoRA beside them. */

import type { GraphBuilder, Value } from '../graph/graph.ts';
import type { DType } from '../graph/value.ts';
import type { LinearName } from './config.ts';

/** Linears that read the same input: what depends on the input alone (int8 codes, LoRA's x A) is computed once. */
export interface LinearGroup {
  readonly name: 'qkv' | 'o' | 'gateUp' | 'down';
  readonly inputs: number;
  /** Each part has a bias, added to the base's product. */
  readonly bias: boolean;
  readonly parts: readonly { readonly name: LinearName; readonly outputs: number }[];
}

export type Precision = 'f32' | 'w8a8';

export interface LinearSettings {
  readonly precision: Precision;
  /** Absent: no adapter. */
  readonly lora?: { readonly rank: number; readonly scale: number };
  /**
   * A group of several parts is one product whose outputs are split, of the tensors of jointParameters(). With few rows,
   * as in generation, one wide product is faster than several; with many, its output leaves the cache.
   */
  readonly joint?: boolean;
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
 * y = x W + bias + scale (x A) B of each part for x `[rows, inputs]` (LoRA: arXiv 2106.09685): one value
 * `[rows, outputs]` a part.
 *
 * Graph inputs it reads of a part: `<part>.weight` f32 `[outputs, inputs]`, or `<part>.int8` `[inputs, outputs]` and
 * `<part>.scale` `[outputs]`, and for its gradient `<part>.back.int8` `[outputs, inputs]`, `<part>.back.scale` `[inputs]` and, of
 * `up`, `up.back.units` `[outputs]` (Int8MatMul); `<part>.bias` `[outputs]` where the group has biases; and those of
 * loraShapes. With `joint` those of jointParameters.
 */
export function linear(g: GraphBuilder, x: Value, group: LinearGroup, settings: LinearSettings): readonly Value[] {
  const { lora, dtype = 'float32' } = settings;
  const { name, inputs, parts } = group;
  const widths = parts.map(({ outputs }) => outputs);
  const columns = (value: Value, sizes: readonly number[]) =>
    sizes.length === 1 ? [value] : g.apply('Split', [value], { axis: 1, sizes });
  const width = lora ? lora.rank * parts.length : 0;
  const h = lora && g.op('MatMul', [x, g.input(`${name}.A`, dtype, [inputs, width])]);
  const product = (part: string, outputs: number, own: Value | undefined, b: string) => {
    const base = baseProduct(g, x, { name: part, inputs, outputs, bias: group.bias }, settings);
    if (!lora || !own) return base;
    return g.op('Gemm', [own, g.input(b, dtype, [own.shape[1]!, outputs]), base], { alpha: lora.scale });
  };
  if (settings.joint && parts.length > 1) return columns(product(name, outputsOf(group), h, `${name}.B`), widths);
  const own =
    lora && h
      ? columns(
          h,
          parts.map(() => lora.rank),
        )
      : [];
  return parts.map((part, i) => product(part.name, part.outputs, own[i], `${name}.B.${part.name}`));
}

/** Linears whose outputs are smoothed, divided by what `down` reads them with (SmoothQuant). */
const SMOOTHED_OUTPUTS: ReadonlySet<string> = new Set(['up']);

interface Base {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
}

/** x W + bias. Int8 products of the same x share its codes: equal nodes of a graph are one (GraphBuilder). */
function baseProduct(g: GraphBuilder, x: Value, base: Base, { precision, dtype = 'float32' }: LinearSettings): Value {
  const { name, inputs, outputs, bias } = base;
  const product =
    precision === 'f32'
      ? g.op('MatMul', [x, g.input(`${name}.weight`, dtype, [outputs, inputs])], { transB: 1 })
      : g.op('Int8MatMul', [
          x,
          g.input(`${name}.int8`, 'int8', [inputs, outputs]),
          g.input(`${name}.scale`, 'float32', [outputs]),
          g.input(`${name}.back.int8`, 'int8', [outputs, inputs]),
          g.input(`${name}.back.scale`, 'float32', [inputs]),
          ...(SMOOTHED_OUTPUTS.has(name) ? [g.input(`${name}.back.units`, 'float32', [outputs])] : []),
        ]);
  return bias ? g.op('Add', [product, g.input(`${name}.bias`, dtype, [outputs])]) : product;
}
