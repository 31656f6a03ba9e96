import { describe, expect, it } from 'vitest';
import '../../test/matchers.ts';
import { drawNormal } from '../../test/op-case.ts';
import { type Dense, evaluate, toDense } from '../../test/reference.ts';
import { SMALLEST, tinyWeights } from '../../test/tiny-models.ts';
import type { Tensor } from '../graph/value.ts';
import { emitGraph } from '../onnx/emit.ts';
import { createSession } from '../onnx/session.ts';
import {
  afterBackward,
  afterForward,
  attentionBackward,
  attentionForward,
  beforeBackward,
  beforeForward,
  type GraphPart,
  headGraph,
  headParts,
  logitsGraph,
} from './layer-graphs.ts';

const { config } = tinyWeights(SMALLEST);
const LORA = { precision: 'f32', lora: { rank: 2, scale: 2 } } as const;
const SHAPE = { rows: 16, prefix: 40, block: 128 };
const BARE = { precision: 'f32' } as const;

function ends({ g, outputs, given }: GraphPart) {
  const emitted = emitGraph(g, outputs, given);
  return { inputs: [...emitted.inputs].sort(), outputs: [...emitted.outputs] };
}

const QKV = ['k.weight', 'norm1', 'q.weight', 'qkv.A', 'qkv.B.k', 'qkv.B.q', 'qkv.B.v'];
const BY_HEAD = (names: string[]) =>
  names.flatMap((name) => Array.from({ length: config.kvHeads }, (_, head) => `${name}.${head}`));
const GRADS = (names: string[]) => names.map((name) => `grad.${name}`).sort();

describe('graphs of a layer', () => {
  it('beforeForward() makes q, k, v of x', () => {
    expect(ends(beforeForward(config, 32, LORA))).toEqual({
      inputs: ['cos', ...QKV, 'sin', 'v.weight', 'x'],
      outputs: ['q', 'k', 'v'],
    });
    expect(ends(beforeForward(config, 32, LORA, 'apart')).outputs).toEqual(BY_HEAD(['q', 'k', 'v']));
  });

  it('lay heads apart for tasks of their own: a matrix of each key head with its queries', () => {
    const { outputs } = beforeForward(config, 32, BARE, 'apart');
    const { heads, headDim } = config;
    const queries = [32, (heads / 2) * headDim];
    expect(Object.entries(outputs).map(([name, { shape }]) => [name, shape])).toEqual([
      ['q.0', queries],
      ['q.1', queries],
      ...['k.0', 'k.1', 'v.0', 'v.1'].map((name) => [name, [32, headDim]]),
    ]);
    expect(ends(afterForward(config, 32, BARE, false, 'apart')).inputs).toEqual(expect.arrayContaining(['o.0', 'o.1']));
    expect(ends(afterBackward(config, 32, LORA, true)).outputs).toEqual(
      expect.arrayContaining(['grad.o.0', 'grad.o.1', 'grad.o.A']),
    );
    expect(ends(beforeBackward(config, 32, LORA)).inputs).toEqual(
      expect.arrayContaining(['dq.0', 'dq.1', 'dk.1', 'dv.1']),
    );
  });

  it('beforeBackward() gives gradients of x and of the adapter alone: the base is frozen', () => {
    const { outputs } = ends(beforeBackward(config, 32, LORA));
    expect(outputs.sort()).toEqual(GRADS(['x', 'qkv.A', 'qkv.B.q', 'qkv.B.k', 'qkv.B.v']));
    expect(ends(beforeBackward(config, 32, BARE)).outputs).toEqual(['grad.x']);
  });

  it('afterForward() adds what backward keeps, if asked', () => {
    expect(ends(afterForward(config, 32, LORA, false)).outputs).toEqual(['y']);
    expect(ends(afterForward(config, 32, LORA, true)).outputs).toEqual(['y', 'middle', 'gate', 'up']);
  });

  it('afterBackward() takes what was kept instead of computing it', () => {
    const kept = ends(afterBackward(config, 32, BARE, true));
    // Without an adapter nothing but middle, gate and up depends on x and o.
    const weights = ['down.weight', 'gate.weight', 'norm2', 'o.weight', 'up.weight'];
    expect(kept.inputs).toEqual([...weights, 'dy', 'gate', 'middle', 'up'].sort());
    expect(kept.outputs).toEqual(['grad.x', ...BY_HEAD(['grad.o'])]);
    const again = ends(afterBackward(config, 32, BARE, false)).inputs;
    expect(again).toEqual(expect.arrayContaining(['x', ...BY_HEAD(['o'])]));
    expect(again).not.toContain('middle');
  });

  it('attention graphs read a prefix of keys and values, and backward the output that was kept', () => {
    expect(ends(attentionForward(config, SHAPE))).toEqual({ inputs: ['k', 'mask', 'q', 'v'], outputs: ['o'] });
    expect(ends(attentionBackward(config, SHAPE))).toEqual({
      inputs: ['do', 'k', 'mask', 'o', 'q', 'v'],
      outputs: ['grad.q', 'grad.k', 'grad.v'],
    });
    const { outputs } = attentionBackward(config, SHAPE);
    expect(outputs['grad.k']!.shape).toEqual([56, 8]);
  });
});

describe('headGraph()', () => {
  const rows = 3;
  const LABELS = [5, 0, 259];
  const draw = (name: string, shape: number[]) => toDense(drawNormal(shape, 'float64', 'head', name));
  const head = draw('head', [config.vocabSize, 16]);
  const feeds: Record<string, Dense> = {
    h: draw('h', [rows, 16]),
    head,
    'head.0': head,
    labelRows: {
      shape: [rows, 16],
      data: Float64Array.from(LABELS.flatMap((label) => [...head.data.subarray(label * 16, (label + 1) * 16)])),
    },
    normFinal: draw('norm', [16]),
    weight: { shape: [rows, 1], data: Float64Array.of(0.5, 0, 2) },
  };
  const run = (part: GraphPart, from = feeds) => {
    const names = Object.keys(part.outputs);
    const dense = evaluate(Object.values(part.outputs), from);
    return Object.fromEntries(names.map((name, i) => [name, dense[i]!]));
  };
  const losses = (h: Float64Array) =>
    run(headGraph(config, rows, false, 'float64'), { ...feeds, h: { shape: [rows, 16], data: h } }).loss!.data;

  it('gives -log softmax(logits)[label]', () => {
    const { logits } = run(logitsGraph(config, rows, 'float64'));
    const expected = LABELS.map((label, i) => {
      const scores = Array.from(logits!.data.subarray(i * config.vocabSize, (i + 1) * config.vocabSize));
      return Math.log(scores.reduce((sum, z) => sum + Math.exp(z), 0)) - scores[label]!;
    });
    for (const [i, loss] of losses(feeds.h!.data).entries()) expect(loss).toBeCloseTo(expected[i]!, 11);
  });

  it('gives the gradient of the weighted losses', () => {
    const { 'grad.h': gradient } = run(headGraph(config, rows, true, 'float64'));
    const weighted = (h: Float64Array) => losses(h).reduce((sum, loss, i) => sum + loss * feeds.weight!.data[i]!, 0);
    const step = 1e-5;
    const data = feeds.h!.data.map((_, at) => {
      const moved = (by: number) => feeds.h!.data.map((value, i) => (i === at ? value + by : value));
      return (weighted(moved(step)) - weighted(moved(-step))) / (2 * step);
    });
    expect(gradient).toBeNearTensor({ shape: [rows, 16], data }, 1e-7);
  });

  it('gives the same in parts of the vocabulary as whole', async () => {
    const vocabSize = 20_000;
    const wide = { ...config, vocabSize };
    const parts = headParts(wide);
    expect(parts.map(({ start, end }) => end - start)).toEqual([8192, 8192, 3616]);
    // Logits up to some hundreds, the largest of each row in another part.
    const table = drawNormal([vocabSize, 16], 'float64', 'head', 'wide');
    const data = table.data as Float64Array;
    const h = Float64Array.from(
      { length: rows * 16 },
      (_, i) => 30 * data[[100, 9000, 19_999][Math.floor(i / 16)]! * 16 + (i % 16)]!,
    );
    const labels = [100, 3, 12_345];
    const floats = (shape: number[], values: Float64Array): Tensor => ({ dtype: 'float64', shape, data: values });
    const { g, outputs } = headGraph(wide, rows, true, 'float64');
    const session = await createSession(emitGraph(g, outputs).bytes, { threads: 1, optimization: 'basic' });
    const found = await session.run({
      h: floats([rows, 16], h),
      labelRows: floats(
        [rows, 16],
        Float64Array.from(labels.flatMap((label) => [...data.subarray(label * 16, (label + 1) * 16)])),
      ),
      ...Object.fromEntries(
        parts.map(({ name, start, end }) => [name, floats([end - start, 16], data.subarray(start * 16, end * 16))]),
      ),
      normFinal: floats([16], feeds.normFinal!.data),
      weight: floats([rows, 1], Float64Array.of(1, 1, 1)),
    });
    await session.release();
    const plain = (from: Float64Array) =>
      labels.map((label, row) => {
        const x = from.subarray(row * 16, (row + 1) * 16);
        const r = 1 / Math.sqrt(x.reduce((sum, e) => sum + e * e, 0) / 16 + config.normEpsilon);
        const xn = x.map((e, i) => e * r * feeds.normFinal!.data[i]!);
        const z = Float64Array.from({ length: vocabSize }, (_, v) =>
          xn.reduce((sum, e, i) => sum + e * data[v * 16 + i]!, 0),
        );
        const top = z.reduce((x, y) => Math.max(x, y));
        return top + Math.log(z.reduce((sum, e) => sum + Math.exp(e - top), 0)) - z[label]!;
      });
    const sum = (numbers: readonly number[]) => numbers.reduce((x, y) => x + y, 0);
    for (const [row, loss] of plain(h).entries()) {
      expect((found.loss!.data as Float64Array)[row]).toBeCloseTo(loss, 9);
    }
    const direction = draw('direction', [rows, 16]).data;
    const moved = (by: number) => h.map((x, i) => x + by * direction[i]!);
    const slope = (sum(plain(moved(1e-5))) - sum(plain(moved(-1e-5)))) / 2e-5;
    const gradient = found['grad.h']!.data as Float64Array;
    expect(sum(Array.from(gradient, (d, i) => d * direction[i]!))).toBeRelativelyNear(slope, 1e-7);
  });
});
