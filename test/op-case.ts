/** A test case of one small graph: its inputs, how it is built, and what feeds it. */

import { randomStream } from '../src/foundation/random.ts';
import type { GraphBuilder, Value } from '../src/graph/graph.ts';
import type { DType, Shape, Tensor } from '../src/graph/value.ts';
import { elementCount } from './reference.ts';

/** What a case is fed with: drawn floating values, or a given tensor (masks and integers; never differentiated). */
export type CaseInput =
  | { readonly kind: 'drawn'; readonly shape: Shape; readonly map: (normal: number) => number }
  | { readonly kind: 'given'; readonly tensor: Tensor };

export interface OpCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, CaseInput>>;
  readonly build: (g: GraphBuilder, values: Readonly<Record<string, Value>>) => readonly Value[];
  /** Why the case has no float64 form in ONNX Runtime, where it has none. */
  readonly float32Only?: string;
}

export const normal = (...shape: number[]): CaseInput => ({ kind: 'drawn', shape, map: (x) => x });
/** Between 0.5 and 2.5: for logarithms and denominators. */
export const positive = (...shape: number[]): CaseInput => ({
  kind: 'drawn',
  shape,
  map: (x) => 0.5 + 2 / (1 + Math.exp(-x)),
});
export const given = (tensor: Tensor): CaseInput => ({ kind: 'given', tensor });

export function opCase<K extends string>(
  name: string,
  inputs: Record<K, CaseInput>,
  build: (g: GraphBuilder, values: Readonly<Record<K, Value>>) => readonly Value[],
  float32Only?: string,
): OpCase {
  return { name, inputs, build: build as OpCase['build'], ...(float32Only ? { float32Only } : {}) };
}

export interface BuiltCase {
  readonly g: GraphBuilder;
  readonly outputs: readonly Value[];
  /** The differentiable inputs, by name. */
  readonly targets: Readonly<Record<string, Value>>;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

/** The case as a graph of one floating type, with its feeds. The numbers are float32 numbers in either type. */
export function buildCase(g: GraphBuilder, opCase: OpCase, dtype: 'float32' | 'float64'): BuiltCase {
  const values: Record<string, Value> = {};
  const targets: Record<string, Value> = {};
  const feeds: Record<string, Tensor> = {};
  for (const [name, input] of Object.entries(opCase.inputs)) {
    const tensor = input.kind === 'drawn' ? draw(input, dtype, opCase.name, name) : castFloats(input.tensor, dtype);
    feeds[name] = tensor;
    values[name] = g.input(name, tensor.dtype, tensor.shape);
    if (input.kind === 'drawn') targets[name] = values[name];
  }
  return { g, outputs: opCase.build(g, values), targets, feeds };
}

/** Standard normal float32 numbers of the stream named by `keys`. */
export function drawNormal(shape: Shape, dtype: DType, ...keys: string[]): Tensor {
  return draw({ kind: 'drawn', shape, map: (x) => x }, dtype, ...keys);
}

function draw({ shape, map }: CaseInput & { kind: 'drawn' }, dtype: DType, ...keys: string[]): Tensor {
  const stream = randomStream('op-cases', ...keys);
  const data = Float32Array.from({ length: elementCount(shape) }, () => map(stream.normal()));
  return castFloats({ dtype: 'float32', shape, data }, dtype);
}

function castFloats(tensor: Tensor, dtype: DType): Tensor {
  if (tensor.dtype !== 'float32' || dtype !== 'float64') return tensor;
  return { ...tensor, dtype, data: Float64Array.from(tensor.data as Float32Array) };
}

export const int8 = (shape: Shape, data: readonly number[]): Tensor => ({
  dtype: 'int8',
  shape,
  data: Int8Array.from(data),
});
export const uint8 = (shape: Shape, data: readonly number[]): Tensor => ({
  dtype: 'uint8',
  shape,
  data: Uint8Array.from(data),
});
export const floats = (shape: Shape, data: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});

/** 0 on and below the diagonal, very negative above. */
export function causalMask(block: number): Tensor {
  const data = Float32Array.from({ length: block * block }, (_, i) => (i % block > Math.floor(i / block) ? -1e9 : 0));
  return { dtype: 'float32', shape: [block, block], data };
}

/** An int8 weight [k, n] that reaches both ends of the grid, its transpose and its column scales. */
export function int8Weight(k: number, n: number, key: string) {
  const stream = randomStream('int8-weight', key);
  const data = Array.from({ length: k * n }, (_, i) => (i === 0 ? -128 : i === 1 ? 127 : stream.integer(256) - 128));
  const draw = (length: number, least: number) =>
    floats(
      [length],
      Array.from({ length }, () => least + stream.uniform()),
    );
  const back = Array.from({ length: k * n }, () => stream.integer(256) - 128);
  const backward = { back: int8([n, k], back), backScale: draw(k, 0.2), units: draw(n, 0.5) };
  const scales = Array.from({ length: n }, () => 0.002 + 0.01 * stream.uniform());
  return { w: int8([k, n], data), scale: floats([n], scales), ...backward };
}
