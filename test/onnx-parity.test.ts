/** What ONNX Runtime computes from the emitted graphs, against the float64 reference: forward, backward, and int8. */

import { describe, expect, it } from 'vitest';
import { gradient } from '../src/graph/gradient.ts';
import { GraphBuilder, type Value } from '../src/graph/graph.ts';
import { OPS } from '../src/graph/ops/table.ts';
import type { Tensor } from '../src/graph/value.ts';
import { emitGraph } from '../src/onnx/emit.ts';
import { createSession } from '../src/onnx/session.ts';
import './matchers.ts';
import { buildCase, causalMask, drawNormal, floats, int8Weight, type OpCase } from './op-case.ts';
import { ALL_CASES, OP_CASES } from './op-cases.ts';
import { type Dense, evaluate, quantizeRow, toDense } from './reference.ts';

type Feeds = Readonly<Record<string, Tensor>>;

/** Emits `outputs` and runs them once, on one thread. */
async function runOnce(
  g: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  feeds: Feeds,
  given: Readonly<Record<string, Value>> = {},
): Promise<Record<string, Tensor>> {
  const float64 = Object.values(outputs).some(({ dtype }) => dtype === 'float64');
  const optimization = float64 ? 'basic' : 'all';
  const session = await createSession(emitGraph(g, outputs, given).bytes, { threads: 1, optimization });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

const toDenses = (tensors: Feeds) => Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k, toDense(t)]));

/** The values by name, of which those that are null are left out. */
function named(prefix: string, values: readonly (Value | null)[]): Record<string, Value> {
  return Object.fromEntries(values.flatMap((value, i) => (value ? [[`${prefix}.${i}`, value]] : [])));
}

function expectNear(found: Feeds, expected: Readonly<Record<string, Value>>, feeds: Feeds, tolerance: number) {
  const dense = evaluate(Object.values(expected), toDenses(feeds));
  for (const [i, [name, value]] of Object.entries(expected).entries()) {
    expect(found[name]!.dtype, name).toBe(value.dtype);
    expect(toDense(found[name]!), name).toBeNearTensor(dense[i]!, tolerance);
  }
}

/** The forward graph, then the backward graph fed with what the forward one computed: the way a layer is run. */
async function checkParity(opCase: OpCase, dtype: 'float32' | 'float64', tolerance: number) {
  const { g, outputs, targets, feeds } = buildCase(new GraphBuilder(), opCase, dtype);
  const forward = named('out', outputs);
  const computed = await runOnce(g, forward, feeds);
  expectNear(computed, forward, feeds, tolerance);
  if (FORWARD_ONLY.has(opCase)) return;

  const seeds = outputs.map((output, i) => g.input(`seed.${i}`, dtype, output.shape));
  const seedFeeds = Object.fromEntries(
    seeds.map(({ shape }, i) => [`seed.${i}`, drawNormal(shape, dtype, opCase.name, 'seed', String(i))]),
  );
  const backward = named('grad', gradient(g, outputs, seeds, Object.values(targets)));
  const kept = Object.fromEntries(Object.entries(forward).filter(([, value]) => value.source.kind === 'node'));
  const grads = await runOnce(g, backward, { ...feeds, ...seedFeeds, ...computed }, kept);
  expectNear(grads, backward, { ...feeds, ...seedFeeds }, tolerance);
}

const FORWARD_ONLY: ReadonlySet<OpCase> = new Set(
  Object.values(OP_CASES).flatMap(({ cases, forwardOnly }) => (forwardOnly ? cases : [])),
);
/** Integer products are exact; what is left are three float32 multiplications. */
const INT8_TOLERANCE = 1e-6;
const INT8_CASES: readonly OpCase[] = [
  ...OP_CASES.Int8MatMul.cases,
  ...OP_CASES.MatMulIntegerToFloat.cases,
  ...OP_CASES.QuantizeLinear.cases,
];

describe('ONNX Runtime against the reference', () => {
  it.each(ALL_CASES.map((c) => [c.name, c] as const))('%s, float32', (_name, opCase) =>
    checkParity(opCase, 'float32', INT8_CASES.includes(opCase) ? INT8_TOLERANCE : 1e-4),
  );

  const float64Cases = ALL_CASES.filter((c) => c.float32Only === undefined);
  it.each(float64Cases.map((c) => [c.name, c] as const))('%s, float64', (_name, opCase) =>
    checkParity(opCase, 'float64', 1e-10),
  );
});

describe('Int8MatMul in ONNX Runtime', () => {
  const [k, n] = [48, 40];
  const { w, scale } = int8Weight(k, n, 'int8 in ONNX Runtime');

  async function int8Product(x: Tensor): Promise<Tensor> {
    const g = new GraphBuilder();
    const weights = [g.input('w', 'int8', [k, n]), g.input('scale', 'float32', [n])];
    const y = g.op('Int8MatMul', [g.input('x', 'float32', x.shape), ...weights]);
    const { out } = await runOnce(g, { out: y }, { x, w, scale });
    return out!;
  }

  const randomRow = (name: string, factor = 1) =>
    Array.from(drawNormal([k], 'float32', 'int8 row', name).data as Float32Array, (e) => Math.fround(e * factor));
  const matrix = (rows: readonly number[][]): Tensor => floats([rows.length, k], rows.flat());
  const rowOf = (y: Tensor, i: number) => Array.from(y.data.subarray(i * n, (i + 1) * n) as Float32Array);

  it('multiplies exactly the integers of the grid', async () => {
    const negativePeak = randomRow('peak').with(7, -9);
    const rows = [
      randomRow('plain'),
      negativePeak,
      negativePeak.with(7, 9),
      randomRow('large', 1e20),
      randomRow('small', 1e-20),
      Array<number>(k).fill(0),
      Array<number>(k).fill(0).with(3, -1),
    ];
    const y = await int8Product(matrix(rows));
    for (const [i, row] of rows.entries()) {
      const { codes, step } = quantizeRow(row);
      const integers = Array.from({ length: n }, (_, j) =>
        codes.reduce((total, code, l) => total + code * (w.data[l * n + j] as number), 0),
      );
      const found = rowOf(y, i).map((e, j) => Math.round(step === 0 ? e : e / (step * (scale.data[j] as number))) + 0);
      expect(found, `row ${i}`).toEqual(integers);
    }
  });

  it('gives a row the same bits whatever rows are beside it', async () => {
    const row = randomRow('watched');
    const alone = rowOf(await int8Product(matrix([row])), 0);
    for (const [count, factor] of [
      [2, 1e6],
      [3, 1e-6],
      [8, 0],
      [33, 50],
    ] as const) {
      const others = Array.from({ length: count - 1 }, (_, i) => randomRow(`other ${i}`, factor));
      for (const place of [0, count >> 1, count - 1]) {
        const rows = others.toSpliced(place, 0, row);
        expect(rowOf(await int8Product(matrix(rows)), place), `row ${place} of ${count}`).toEqual(alone);
      }
    }
  });
});

describe('CausalAttention of a packed branch', () => {
  const layout = { heads: 6, kvHeads: 2, scale: 0.5 };
  const [prefix, branch, d] = [7, 5, 4];
  const total = prefix + branch;

  /** Attention of all rows as one segment, and as a prefix with a branch on it, with the gradients of both. */
  function bothWays(dtype: 'float32' | 'float64') {
    const g = new GraphBuilder();
    const q = g.input('q', dtype, [total, layout.heads * d]);
    const [k, v] = ['k', 'v'].map((name) => g.input(name, dtype, [total, layout.kvHeads * d])) as [Value, Value];
    const attend = (queries: Value, keys: Value, values: Value, block: number) => {
      const mask = g.op('Reshape', [g.input(`mask.${block}`, dtype, [block, block])], { shape: [block, block] });
      return g.op('CausalAttention', [queries, keys, values, mask], { ...layout, block });
    };
    const head = (x: Value) => g.op('Slice', [x], { axis: 0, start: 0, end: prefix });
    const tail = g.op('Slice', [q], { axis: 0, start: prefix, end: total });
    const whole = attend(q, k, v, 4);
    const parts = [attend(head(q), head(k), head(v), 3), attend(tail, k, v, 2)];
    const packed = g.op('Concat', parts, { axis: 0 });
    const seed = g.input('seed', dtype, whole.shape);
    const grads = [whole, packed].map((y) => gradient(g, [y], [seed], [q, k, v]));
    const feeds: Record<string, Tensor> = {};
    for (const value of [q, k, v, seed]) {
      const name = value.source.kind === 'input' ? value.source.name : '';
      feeds[name] = drawNormal(value.shape, dtype, 'packed attention', name);
    }
    for (const block of [2, 3, 4]) {
      const { shape, data } = causalMask(block);
      feeds[`mask.${block}`] = {
        dtype,
        shape,
        data: dtype === 'float64' ? Float64Array.from(data as Float32Array) : data,
      };
    }
    return {
      g,
      feeds,
      whole: { ...named('out', [whole]), ...named('grad', grads[0]!) },
      packed: { ...named('out', [packed]), ...named('grad', grads[1]!) },
    };
  }

  it.each([
    ['float32', 1e-5],
    ['float64', 1e-12],
  ] as const)('equals the same rows of one causal segment, forward and backward, %s', async (dtype, tolerance) => {
    const { g, feeds, whole, packed } = bothWays(dtype);
    const [separate, together] = [await runOnce(g, whole, feeds), await runOnce(g, packed, feeds)];
    for (const name of Object.keys(whole)) {
      expect(toDense(together[name]!), name).toBeNearTensor(toDense(separate[name]!), tolerance);
    }
  });

  it('never lets a row see a later one', () => {
    const { whole, feeds } = bothWays('float64');
    const dense: Record<string, Dense> = toDenses(feeds);
    const [before] = evaluate([whole['out.0']!], dense);
    const last = (name: string) => dense[name]!.data.subarray((total - 1) * layout.kvHeads * d);
    for (const name of ['k', 'v']) last(name).fill(100);
    const [after] = evaluate([whole['out.0']!], dense);
    const seen = (total - 1) * layout.heads * d;
    expect(after!.data.subarray(0, seen)).toEqual(before!.data.subarray(0, seen));
    expect(after!.data.subarray(seen)).not.toEqual(before!.data.subarray(seen));
  });
});

describe('composites', () => {
  it.each(ALL_CASES.map((c) => [c.name, c] as const))('%s lowers to the types it stands for', (_name, opCase) => {
    for (const dtype of opCase.float32Only ? (['float32'] as const) : (['float32', 'float64'] as const)) {
      const { g, outputs } = buildCase(new GraphBuilder(), opCase, dtype);
      for (const { source } of outputs) {
        if (source.kind !== 'node') continue;
        const { op, inputs, attributes, outputs: stored } = source.node;
        const lowered = OPS[op].lower?.(g, inputs, attributes);
        const types = (values: readonly Value[]) => values.map(({ dtype: type, shape }) => ({ type, shape }));
        if (lowered) expect(types(lowered)).toEqual(types(stored));
      }
    }
  });
});
