/**
 * The graph's ops in plain float64 loops, written from their definitions: what the derivatives and the emitted ONNX
 * are held against. Nothing here is fast, and nothing is shared with src/graph/ops.
 */

import type { Attributes, Value } from '../src/graph/graph.ts';
import type { OpName } from '../src/graph/ops/op-name.ts';
import type { Shape, Tensor } from '../src/graph/value.ts';

/** A tensor of any graph type, held in float64 (int8 and indices are exact in it), row-major. */
export interface Dense {
  readonly shape: Shape;
  readonly data: Float64Array;
}

type Reference = (inputs: readonly Dense[], attributes: Attributes) => Dense[];

export const elementCount = (shape: Shape) => shape.reduce((n, d) => n * d, 1);

export function toDense({ shape, data }: Tensor): Dense {
  return { shape, data: Float64Array.from(data as Iterable<number | bigint>, Number) };
}

/** Every index of a shape, in row-major order. */
function* indices(shape: Shape): Generator<number[]> {
  for (let flat = 0; flat < elementCount(shape); flat++) {
    let rest = flat;
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}

function fill(shape: Shape, element: (index: number[]) => number): Dense {
  return { shape, data: Float64Array.from(indices(shape), element) };
}

/** The element at an index of a shape that x broadcasts to: leading dimensions are ignored, size-1 dimensions repeat. */
function at(x: Dense, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return x.data[x.shape.reduce((offset, d, axis) => offset * d + (d === 1 ? 0 : index[lead + axis]!), 0)]!;
}

function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const from = (shape: Shape, axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(from(a, axis), from(b, axis)));
}

const unary =
  (f: (x: number) => number): Reference =>
  ([x]) => [{ shape: x!.shape, data: x!.data.map(f) }];

const binary =
  (f: (a: number, b: number) => number): Reference =>
  ([a, b]) => [fill(broadcast(a!.shape, b!.shape), (index) => f(at(a!, index), at(b!, index)))];

const reduction =
  (start: number, step: (total: number, x: number) => number, end = (total: number, _count: number) => total) =>
  ([x]: readonly Dense[], attributes: Attributes): Dense[] => {
    const axes = attributes.axes as readonly number[];
    const kept = x!.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
    const over = x!.shape.map((d, axis) => (axes.includes(axis) ? d : 1));
    return [
      fill(kept, (index) => {
        let total = start;
        for (const inner of indices(over))
          total = step(
            total,
            at(
              x!,
              index.map((i, axis) => i + inner[axis]!),
            ),
          );
        return end(total, elementCount(over));
      }),
    ];
  };

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const sum = (terms: readonly number[]) => terms.reduce((a, b) => a + b, 0);

/** One row of a matrix as an array. */
const row = (x: Dense, i: number) => Array.from(x.data.subarray(i * x.shape.at(-1)!, (i + 1) * x.shape.at(-1)!));

/** Applies f to each row along the last axis. */
function rows(x: Dense, f: (row: number[]) => number[]): Dense {
  const count = x.data.length / x.shape.at(-1)!;
  return { shape: x.shape, data: Float64Array.from(range(count).flatMap((i) => f(row(x, i)))) };
}

function softmax(x: readonly number[]): number[] {
  const largest = Math.max(...x);
  const weights = x.map((score) => Math.exp(score - largest));
  return weights.map((weight) => weight / sum(weights));
}

/** Nearest integer, ties to even (IEEE 754 roundTiesToEven). */
export function roundHalfEven(x: number): number {
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));

/**
 * One row on the dynamic int8 grid of compressed-tensors: its codes, and the step they count.
 * Rows of zeros have codes of zero.
 */
export function quantizeRow(x: readonly number[]): { codes: number[]; step: number } {
  const absmax = Math.max(...x.map(Math.abs));
  if (absmax === 0) return { codes: x.map(() => 0), step: 0 };
  return { codes: x.map((e) => clamp(roundHalfEven((e / absmax) * 127.5), -128, 127)), step: absmax / 127.5 };
}

/** quantize(x) w, with w [k, n] and one scale a column: integers are multiplied, then scaled once. */
export function int8MatMul(x: Dense, w: Dense, scale: Dense): Dense {
  const [k, n] = w.shape as [number, number];
  const products = range(x.data.length / k).flatMap((i) => {
    const { codes, step } = quantizeRow(row(x, i));
    return range(n).map((j) => sum(codes.map((code, l) => code * w.data[l * n + j]!)) * step * scale.data[j]!);
  });
  return { shape: [...x.shape.slice(0, -1), n], data: Float64Array.from(products) };
}

/** Row i attends to keys 0 .. prefix + i, or the last `window` of them; query head h reads key head floor(h / group). */
function causalAttention(q: Dense, k: Dense, v: Dense, layout: Attributes): Dense {
  const heads = layout.heads as number;
  const kvHeads = layout.kvHeads as number;
  const scale = layout.scale as number;
  const window = (layout.window as number | undefined) ?? Number.POSITIVE_INFINITY;
  const width = q.shape[1]!;
  const d = width / heads;
  const prefix = k.shape[0]! - q.shape[0]!;
  const out = new Float64Array(q.data.length);
  for (const i of range(q.shape[0]!)) {
    for (const head of range(heads)) {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const key = (x: Dense, j: number, e: number) => x.data[(j * kvHeads + kvHead) * d + e]!;
      const visible = range(prefix + i + 1).filter((j) => j > prefix + i - window);
      const scores = visible.map(
        (j) => scale * sum(range(d).map((e) => q.data[i * width + head * d + e]! * key(k, j, e))),
      );
      const p = softmax(scores);
      for (const e of range(d))
        out[i * width + head * d + e] = sum(p.map((weight, n) => weight * key(v, visible[n]!, e)));
    }
  }
  return { shape: q.shape, data: out };
}

/** Every op. One that is missing here does not compile. */
export const REFERENCE: { readonly [K in OpName]: Reference } = {
  Abs: unary(Math.abs),
  Add: binary((a, b) => a + b),
  CausalAttention: ([q, k, v], layout) => [causalAttention(q!, k!, v!, layout)],
  Concat(inputs, attributes) {
    const axis = attributes.axis as number;
    const owners = inputs.flatMap((x) => range(x.shape[axis]!).map((i) => ({ x, i })));
    const shape = inputs[0]!.shape.map((d, a) => (a === axis ? owners.length : d));
    return [
      fill(shape, (index) => {
        const { x, i } = owners[index[axis]!]!;
        // Along the axis `at` must not read a size-1 input as broadcast, and it does not: i is 0 there.
        return at(x, index.with(axis, i));
      }),
    ];
  },
  Div: binary((a, b) => a / b),
  Exp: unary(Math.exp),
  Expand: ([x], { shape }) => [fill(shape as Shape, (index) => at(x!, index))],
  Gather([table, picks]) {
    const rest = table!.shape.slice(1);
    const depth = picks!.shape.length;
    const at0 = (index: number[]) => [at(picks!, index.slice(0, depth)), ...index.slice(depth)];
    return [fill([...picks!.shape, ...rest], (index) => at(table!, at0(index)))];
  },
  Gemm([a, b, c], attributes) {
    const [product] = REFERENCE.MatMul([a!, b!], attributes);
    return [fill(product!.shape, (index) => at(product!, index) + at(c!, index))];
  },
  Int8MatMul: ([x, w, scale]) => [int8MatMul(x!, w!, scale!)],
  Log: unary(Math.log),
  MatMul([a, b], { transA = 0, transB = 0, alpha = 1 }) {
    const turned = (x: Dense, transposed: unknown, batch: number[], i: number, j: number) =>
      at(x, transposed ? [...batch, j, i] : [...batch, i, j]);
    const m = a!.shape.at(transA ? -1 : -2)!;
    const inner = a!.shape.at(transA ? -2 : -1)!;
    const n = b!.shape.at(transB ? -2 : -1)!;
    return [
      fill([...broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2)), m, n], (index) => {
        const batch = index.slice(0, -2);
        const [i, j] = index.slice(-2) as [number, number];
        const terms = range(inner).map((l) => turned(a!, transA, batch, i, l) * turned(b!, transB, batch, l, j));
        return (alpha as number) * sum(terms);
      }),
    ];
  },
  MatMulIntegerToFloat([a, b, aScale, bScale, aZero]) {
    const shifted = { shape: a!.shape, data: a!.data.map((code) => code - aZero!.data[0]!) };
    const [product] = REFERENCE.MatMul([shifted, b!], {});
    return [fill(product!.shape, (index) => at(product!, index) * aScale!.data[0]! * at(bScale!, index))];
  },
  Max: binary(Math.max),
  Mul: binary((a, b) => a * b),
  Neg: unary((x) => -x),
  Pad([x], attributes) {
    const pads = attributes.pads as readonly number[];
    const rank = x!.shape.length;
    return [
      fill(
        x!.shape.map((d, axis) => d + pads[axis]! + pads[rank + axis]!),
        (padded) => {
          const index = padded.map((i, axis) => i - pads[axis]!);
          return index.every((i, axis) => i >= 0 && i < x!.shape[axis]!) ? at(x!, index) : 0;
        },
      ),
    ];
  },
  QuantizeLinear: ([x, scale, zero]) =>
    unary((e) => clamp(roundHalfEven(e / scale!.data[0]!) + zero!.data[0]!, 0, 255))([x!], {}),
  Reciprocal: unary((x) => 1 / x),
  ReduceMax: reduction(Number.NEGATIVE_INFINITY, Math.max),
  ReduceMean: reduction(
    0,
    (a, b) => a + b,
    (total, count) => total / count,
  ),
  ReduceMin: reduction(Number.POSITIVE_INFINITY, Math.min),
  ReduceSum: reduction(0, (a, b) => a + b),
  Reshape: ([x], { shape }) => [{ shape: shape as Shape, data: x!.data }],
  RotaryEmbedding([x, cos, sin]) {
    const half = cos!.shape[1]!;
    return [
      fill(x!.shape, ([, i, column]) => {
        const place = column! % (2 * half);
        const [own, angle] = [at(x!, [0, i!, column!]), [i!, place % half]];
        const other = at(x!, [0, i!, place < half ? column! + half : column! - half]);
        return own * at(cos!, angle) + (place < half ? -other : other) * at(sin!, angle);
      }),
    ];
  },
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Silu: unary((x) => x / (1 + Math.exp(-x))),
  SimplifiedLayerNormalization([x, weight], { epsilon }) {
    const inverse = (r: number[]) => 1 / Math.sqrt(sum(r.map((e) => e * e)) / r.length + (epsilon as number));
    const y = rows(x!, (r) => r.map((e, i) => e * inverse(r) * weight!.data[i]!));
    const count = x!.data.length / x!.shape.at(-1)!;
    const scale = Float64Array.from(range(count), (i) => inverse(row(x!, i)));
    return [y, { shape: [...x!.shape.slice(0, -1), 1], data: scale }];
  },
  Slice([x], attributes) {
    const { axis, start, end } = attributes as { axis: number; start: number; end: number };
    return [fill(x!.shape.with(axis, end - start), (index) => at(x!, index.with(axis, index[axis]! + start)))];
  },
  Softmax: ([x]) => [rows(x!, softmax)],
  Split([x], attributes) {
    const { axis, sizes } = attributes as { axis: number; sizes: readonly number[] };
    return sizes.map((size, part) => {
      const start = sum(sizes.slice(0, part));
      return REFERENCE.Slice([x!], { axis, start, end: start + size })[0]!;
    });
  },
  Sub: binary((a, b) => a - b),
  Tanh: unary(Math.tanh),
  Transpose([x], attributes) {
    const perm = attributes.perm as readonly number[];
    return [
      fill(
        perm.map((axis) => x!.shape[axis]!),
        (index) => {
          const source = index.map(() => 0);
          for (const [to, from] of perm.entries()) source[from] = index[to]!;
          return at(x!, source);
        },
      ),
    ];
  },
};

/**
 * The values of a graph, given its inputs by name.
 *
 * @throws Error where an input is missing, or where an op's stored shape is not that of its reference
 */
export function evaluate(values: readonly Value[], feeds: Readonly<Record<string, Dense>>): Dense[] {
  const known = new Map<Value, Dense>();
  const keep = (value: Value, dense: Dense | undefined, what: string) => {
    if (dense?.shape.join() !== value.shape.join() || dense.data.length !== elementCount(value.shape)) {
      throw new Error(`${what} is [${dense?.shape}], stored as [${value.shape}]`);
    }
    known.set(value, dense);
  };
  const denseOf = (value: Value): Dense => {
    const { source } = value;
    if (!known.has(value)) {
      if (source.kind === 'input') keep(value, feeds[source.name], `input ${source.name}`);
      else if (source.kind === 'constant') keep(value, toDense(source.tensor), 'a constant');
      else {
        const { op, inputs, outputs, attributes } = source.node;
        const results = REFERENCE[op](inputs.map(denseOf), attributes);
        for (const [i, output] of outputs.entries()) keep(output, results[i], `${op} output ${i}`);
      }
    }
    return known.get(value)!;
  };
  return values.map(denseOf);
}
