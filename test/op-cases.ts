/** Small graphs for every op and for the ways ops combine: the gradient and ONNX tests run over these. */

import type { Value } from '../src/graph/graph.ts';
import type { OpName } from '../src/graph/ops/op-name.ts';
import {
  type CaseInput,
  causalMask,
  floats,
  given,
  int8,
  int8Weight,
  normal,
  type OpCase,
  opCase,
  positive,
  uint8,
} from './op-case.ts';

export interface OpCases {
  readonly cases: readonly OpCase[];
  /** Why the op has no derivative, where it has none. */
  readonly forwardOnly?: string;
}

/** Shapes of a and b; the second is broadcast, the first, or both. */
const BROADCASTS: Readonly<Record<string, readonly [number[], number[]]>> = {
  'equal shapes': [
    [2, 3],
    [2, 3],
  ],
  'a row': [[2, 3], [3]],
  'a column': [
    [2, 3],
    [2, 1],
  ],
  'both sides': [
    [2, 1, 4],
    [3, 1],
  ],
  'a scalar': [[2, 3], []],
  'a scalar on the left': [[], [4]],
  'size-1 axes': [
    [1, 3],
    [1, 1],
  ],
  'an extra axis of 1': [[3], [1, 3]],
};

function binaryCases(op: OpName, b = normal): OpCase[] {
  return Object.entries(BROADCASTS).map(([name, [left, right]]) =>
    opCase(`${op} ${name}`, { a: normal(...left), b: b(...right) }, (g, { a, b }) => [g.op(op, [a, b])]),
  );
}

function unaryCases(op: OpName, input = normal): OpCase[] {
  return [[2, 3], [1], []].map((shape) =>
    opCase(`${op} [${shape}]`, { x: input(...shape) }, (g, { x }) => [g.op(op, [x])]),
  );
}

function reductionCases(op: OpName): OpCase[] {
  return [[1], [0, 2], [0, 1, 2]].map((axes) =>
    opCase(`${op} over [${axes}]`, { x: normal(2, 3, 4) }, (g, { x }) => [g.op(op, [x], { axes })]),
  );
}

function matmulCases(): OpCase[] {
  const cases: OpCase[] = [];
  for (const transA of [0, 1]) {
    for (const transB of [0, 1]) {
      const a = transA ? [3, 2] : [2, 3];
      const b = transB ? [4, 3] : [3, 4];
      for (const [kind, leadA, leadB] of [
        ['matrices', [], []],
        ['batches', [2], [2]],
        ['a shared right matrix', [2], []],
        ['a shared left matrix', [], [2]],
        ['batches broadcast both ways', [2, 1], [3]],
      ] as const) {
        const inputs = { a: normal(...leadA, ...a), b: normal(...leadB, ...b) };
        const attributes = { transA, transB, alpha: transA || transB ? 0.25 : 1 };
        const name = `MatMul ${transA ? 'a^T' : 'a'} ${transB ? 'b^T' : 'b'}, ${kind}`;
        cases.push(opCase(name, inputs, (g, { a, b }) => [g.op('MatMul', [a, b], attributes)]));
      }
    }
  }
  const plain = { a: normal(2, 3), b: normal(3, 4) };
  return [
    ...cases,
    opCase('MatMul scaled alone', plain, (g, { a, b }) => [g.op('MatMul', [a, b], { alpha: -2 })]),
    opCase('MatMul without attributes', plain, (g, { a, b }) => [g.op('MatMul', [a, b])]),
  ];
}

function gemmCases(): OpCase[] {
  const kinds = [
    ['a matrix', [2, 4], 0, 0, 1],
    ['a row', [4], 0, 1, 0.5],
    ['a column', [2, 1], 1, 0, 0.25],
    ['a scalar', [], 1, 1, -2],
  ] as const;
  return kinds.map(([name, shape, transA, transB, alpha]) =>
    opCase(
      `Gemm plus ${name}`,
      { a: normal(...(transA ? [3, 2] : [2, 3])), b: normal(...(transB ? [4, 3] : [3, 4])), c: normal(...shape) },
      (g, { a, b, c }) => [g.op('Gemm', [a, b, c], { transA, transB, alpha })],
    ),
  );
}

function attentionCases(): OpCase[] {
  const layouts = [
    { name: 'one block', rows: 4, prefix: 0, block: 4, heads: 2, kvHeads: 2 },
    { name: 'a block wider than the rows', rows: 3, prefix: 0, block: 8, heads: 2, kvHeads: 2 },
    { name: 'several blocks', rows: 6, prefix: 0, block: 2, heads: 2, kvHeads: 2 },
    { name: 'a short last block', rows: 7, prefix: 0, block: 3, heads: 2, kvHeads: 2 },
    { name: 'a prefix', rows: 4, prefix: 3, block: 4, heads: 2, kvHeads: 2 },
    { name: 'a prefix, a short last block', rows: 5, prefix: 4, block: 2, heads: 1, kvHeads: 1 },
    { name: 'three queries a key head', rows: 4, prefix: 0, block: 4, heads: 6, kvHeads: 2 },
    { name: 'three queries a key head, prefix, short last block', rows: 5, prefix: 2, block: 3, heads: 6, kvHeads: 2 },
    { name: 'one row', rows: 1, prefix: 5, block: 4, heads: 3, kvHeads: 1 },
    { name: 'a window', rows: 6, prefix: 0, block: 8, heads: 2, kvHeads: 2, window: 3 },
    { name: 'a window of one', rows: 3, prefix: 2, block: 4, heads: 2, kvHeads: 2, window: 1 },
    {
      name: 'a window over a prefix and several blocks',
      rows: 7,
      prefix: 5,
      block: 3,
      heads: 4,
      kvHeads: 2,
      window: 4,
    },
    { name: 'a window wider than a block', rows: 8, prefix: 3, block: 2, heads: 2, kvHeads: 1, window: 5 },
    { name: 'a window of all but one', rows: 4, prefix: 1, block: 4, heads: 2, kvHeads: 2, window: 4 },
    { name: 'a window that hides nothing', rows: 4, prefix: 1, block: 2, heads: 2, kvHeads: 2, window: 5 },
  ];
  const d = 4;
  // A power of two: ONNX Runtime keeps the scale of a product as float32 in float64 graphs too.
  const scale = 0.5;
  return layouts.map(({ name, rows, prefix, ...layout }) => {
    const { heads, kvHeads, block } = layout;
    const inputs = {
      q: normal(rows, heads * d),
      k: normal(prefix + rows, kvHeads * d),
      v: normal(prefix + rows, kvHeads * d),
      mask: given(causalMask(block)),
    };
    return opCase(`CausalAttention ${name}`, inputs, (g, { q, k, v, mask }) => [
      g.op('CausalAttention', [q, k, v, mask], { ...layout, scale }),
    ]);
  });
}

function int8Cases(): OpCase[] {
  const INT8 = 'int8 products give float32';
  return [
    ['Int8MatMul rows', [3, 40], 24],
    ['Int8MatMul a batch of rows', [2, 2, 16], 8],
  ].map(([name, shape, n]) => {
    const lead = shape as number[];
    const { w, scale, back, backScale, units } = int8Weight(lead.at(-1)!, n as number, name as string);
    return opCase(
      name as string,
      { x: normal(...lead), w: given(w), scale: given(scale), back: given(back), b: given(backScale), u: given(units) },
      (g, { x, w, scale, back, b, u }) => [g.op('Int8MatMul', [x, w, scale, back, b, u])],
      INT8,
    );
  });
}

const one = (name: string, inputs: Record<string, CaseInput>, build: OpCase['build'], float32Only?: string) => ({
  cases: [opCase(name, inputs, build, float32Only)],
});

/** Every op. One that is missing here does not compile. */
export const OP_CASES: { readonly [K in OpName]: OpCases } = {
  Abs: { cases: unaryCases('Abs'), forwardOnly: 'serves quantization, through which gradients pass straight' },
  Add: { cases: binaryCases('Add') },
  CausalAttention: { cases: attentionCases() },
  Concat: {
    cases: [
      opCase('Concat rows', { a: normal(2, 3), b: normal(1, 3), c: normal(4, 3) }, (g, { a, b, c }) => [
        g.op('Concat', [a, b, c], { axis: 0 }),
      ]),
      opCase('Concat columns, one value twice', { a: normal(2, 3), b: normal(2, 1) }, (g, { a, b }) => [
        g.op('Concat', [a, b, a], { axis: 1 }),
      ]),
    ],
  },
  Div: { cases: binaryCases('Div', positive) },
  Exp: { cases: unaryCases('Exp') },
  Expand: {
    cases: [
      opCase('Expand a row', { x: normal(3) }, (g, { x }) => [g.op('Expand', [x], { shape: [2, 3] })]),
      opCase('Expand inner axes', { x: normal(2, 1, 1) }, (g, { x }) => [g.op('Expand', [x], { shape: [2, 3, 4] })]),
      opCase('Expand a scalar', { x: normal() }, (g, { x }) => [g.op('Expand', [x], { shape: [2, 2] })]),
      opCase('Expand to its own shape', { x: normal(1, 2) }, (g, { x }) => [g.op('Expand', [x], { shape: [1, 2] })]),
    ],
  },
  Gather: {
    cases: [
      opCase(
        'Gather rows',
        {
          table: normal(5, 3),
          picks: given({ dtype: 'int64', shape: [2, 2], data: BigInt64Array.of(4n, 0n, 0n, 2n) }),
        },
        (g, { table, picks }) => [g.op('Gather', [table, picks])],
      ),
    ],
    forwardOnly: 'embeddings are frozen',
  },
  Gemm: { cases: gemmCases() },
  Int8MatMul: { cases: int8Cases() },
  Log: { cases: unaryCases('Log', positive) },
  MatMul: { cases: matmulCases() },
  MatMulIntegerToFloat: {
    ...one(
      'MatMulIntegerToFloat',
      {
        a: given(uint8([2, 4], [0, 255, 128, 3, 200, 100, 127, 129])),
        b: given(int8([4, 3], [127, -128, 1, 127, -128, 2, -5, 6, 7, 8, -9, 10])),
        aScale: given(floats([], [0.01])),
        bScale: given(floats([3], [0.5, 0.25, 0.1])),
        zero: given(uint8([], [128])),
      },
      (g, { a, b, aScale, bScale, zero }) => [g.op('MatMulIntegerToFloat', [a!, b!, aScale!, bScale!, zero!])],
      'gives float32',
    ),
    forwardOnly: 'part of Int8MatMul, whose derivative passes the rounding straight',
  },
  Max: { cases: binaryCases('Max'), forwardOnly: 'serves as a floor under quantization scales' },
  Mul: { cases: binaryCases('Mul') },
  Neg: { cases: unaryCases('Neg') },
  Pad: {
    cases: [
      opCase('Pad every side', { x: normal(2, 3) }, (g, { x }) => [g.op('Pad', [x], { pads: [1, 0, 2, 1] })]),
      opCase('Pad nothing', { x: normal(2, 3) }, (g, { x }) => [g.op('Pad', [x], { pads: [0, 0, 0, 0] })]),
    ],
  },
  QuantizeLinear: {
    ...one(
      'QuantizeLinear, ties and both ends',
      {
        x: given(floats([2, 4], [0.5, 1.5, -0.5, -1.5, 1000, -1000, 0, 2.5])),
        scale: given(floats([], [1])),
        zero: given(uint8([], [128])),
      },
      (g, { x, scale, zero }) => [g.op('QuantizeLinear', [x!, scale!, zero!])],
      'scales are float32',
    ),
    forwardOnly: 'part of Int8MatMul, whose derivative passes the rounding straight',
  },
  Reciprocal: { cases: unaryCases('Reciprocal', positive) },
  ReduceMax: { cases: reductionCases('ReduceMax'), forwardOnly: 'serves shifts that cancel, and quantization' },
  ReduceMean: { cases: reductionCases('ReduceMean') },
  ReduceMin: { cases: reductionCases('ReduceMin'), forwardOnly: 'serves quantization' },
  ReduceSum: { cases: reductionCases('ReduceSum') },
  Reshape: {
    cases: [
      opCase('Reshape', { x: normal(2, 6) }, (g, { x }) => [g.op('Reshape', [x], { shape: [3, 2, 2] })]),
      opCase('Reshape to a scalar', { x: normal(1, 1) }, (g, { x }) => [g.op('Reshape', [x], { shape: [] })]),
    ],
  },
  RotaryEmbedding: {
    cases: [
      [1, 1, 2],
      [3, 4, 6],
    ].map(([rows, heads, d]) => {
      const angles = Array.from({ length: (rows! * d!) / 2 }, (_, i) => i - 1.5);
      const table = (f: (x: number) => number) => given(floats([rows!, d! / 2], angles.map(f)));
      return opCase(
        `RotaryEmbedding of ${rows} rows, ${heads} heads`,
        { x: normal(1, rows!, heads! * d!), cos: table(Math.cos), sin: table(Math.sin) },
        (g, { x, cos, sin }) => [g.op('RotaryEmbedding', [x, cos, sin])],
      );
    }),
  },
  Sigmoid: { cases: unaryCases('Sigmoid') },
  Silu: { cases: unaryCases('Silu') },
  SimplifiedLayerNormalization: {
    cases: [
      [3, 5],
      [2, 2, 4],
      [1, 1],
    ].map((shape) =>
      opCase(
        `SimplifiedLayerNormalization [${shape}]`,
        { x: normal(...shape), weight: normal(shape.at(-1)!) },
        (g, { x, weight }) => [g.op('SimplifiedLayerNormalization', [x, weight], { epsilon: 0.01 })],
      ),
    ),
  },
  Slice: {
    cases: [
      opCase('Slice rows', { x: normal(5, 2) }, (g, { x }) => [g.op('Slice', [x], { axis: 0, start: 1, end: 4 })]),
      opCase('Slice the last column', { x: normal(2, 3) }, (g, { x }) => [
        g.op('Slice', [x], { axis: 1, start: 2, end: 3 }),
      ]),
    ],
  },
  Softmax: {
    cases: [
      [2, 5],
      [2, 2, 3],
      [3, 1],
    ].map((shape) => opCase(`Softmax [${shape}]`, { x: normal(...shape) }, (g, { x }) => [g.op('Softmax', [x])])),
  },
  Split: {
    cases: [
      opCase('Split columns', { x: normal(2, 6) }, (g, { x }) => g.apply('Split', [x], { axis: 1, sizes: [1, 3, 2] })),
      opCase('Split with an unused part', { x: normal(6, 2) }, (g, { x }) => {
        const [first, , last] = g.apply('Split', [x], { axis: 0, sizes: [1, 3, 2] });
        return [first!, last!];
      }),
    ],
  },
  Sub: { cases: binaryCases('Sub') },
  Tanh: { cases: unaryCases('Tanh') },
  Transpose: {
    cases: [
      opCase('Transpose cycle', { x: normal(2, 3, 4) }, (g, { x }) => [g.op('Transpose', [x], { perm: [1, 2, 0] })]),
      opCase('Transpose swap', { x: normal(2, 3) }, (g, { x }) => [g.op('Transpose', [x], { perm: [1, 0] })]),
    ],
  },
};

/** Ops in combination: what the sweep over the graph has to get right, whatever the ops. */
export const GRAPH_CASES: readonly OpCase[] = [
  opCase('a value times itself', { x: normal(2, 3) }, (g, { x }) => [g.op('Mul', [x, x])]),
  opCase('a value over a multiple of itself', { x: positive(3) }, (g, { x }) => [
    g.op('Div', [g.op('Exp', [x]), g.op('Mul', [x, x])]),
  ]),
  opCase('a value used through different paths', { x: normal(3, 3) }, (g, { x }) => {
    const left = g.op('Tanh', [g.op('MatMul', [x, x])]);
    const right = g.op('ReduceMean', [g.op('Exp', [x])], { axes: [0] });
    return [g.op('Add', [g.op('Mul', [left, right]), x])];
  }),
  opCase('an unused parameter', { x: normal(2), unused: normal(3) }, (g, { x }) => [g.op('Tanh', [x])]),
  opCase('an output that another output uses', { x: normal(2, 2) }, (g, { x }) => {
    const inner = g.op('Sigmoid', [x]);
    return [inner, g.op('Mul', [inner, x])];
  }),
  opCase('one output twice', { x: normal(2) }, (g, { x }) => {
    const y = g.op('Exp', [x]);
    return [y, y];
  }),
  opCase('an output that is an input', { x: normal(2), y: normal(2) }, (g, { x, y }) => [x, g.op('Mul', [x, y])]),
  opCase('a split whose parts meet again', { x: normal(2, 6) }, (g, { x }) => {
    const [a, b, c] = g.apply('Split', [x], { axis: 1, sizes: [2, 2, 2] }) as [Value, Value, Value];
    return [g.op('Mul', [g.op('Add', [a, c]), g.op('Sigmoid', [b])])];
  }),
  opCase(
    'one normalized value in two products',
    { x: normal(3, 4), w: normal(4), a: normal(4, 4), b: normal(4, 4) },
    (g, { x, w, a, b }) => {
      const h = g.op('SimplifiedLayerNormalization', [x, w], { epsilon: 1e-5 });
      const gate = g.op('MatMul', [h, a]);
      const silu = g.op('Mul', [gate, g.op('Sigmoid', [gate])]);
      return [g.op('Add', [x, g.op('Mul', [silu, g.op('MatMul', [h, b])])])];
    },
  ),
  opCase('log-softmax cross entropy', { x: normal(3, 5), label: normal(3, 5) }, (g, { x, label }) => {
    const total = g.op('ReduceSum', [g.op('Exp', [x])], { axes: [1] });
    const logP = g.op('Sub', [x, g.op('Log', [total])]);
    return [g.op('Neg', [g.op('ReduceMean', [g.op('Mul', [logP, label])], { axes: [0, 1] })])];
  }),
];

export const ALL_CASES: readonly OpCase[] = [...Object.values(OP_CASES).flatMap(({ cases }) => cases), ...GRAPH_CASES];
