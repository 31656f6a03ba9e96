/**
 * Attention of decoding: one new token in each of several places, each with keys and values of its own length. Written as
 * ONNX by hand, since lengths stay open: sequences grow with every step, and a graph of fixed shapes would serve only once.
 */

import {
  encodeModel,
  MICROSOFT_DOMAIN,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
} from '../onnx/model-proto.ts';
import type { ModelConfig } from './config.ts';

/** An ONNX model in which some dimensions are open. */
export interface OpenGraph {
  readonly bytes: Uint8Array;
}

/** Names of the graph inputs with the keys and the values of a place. */
export const keysInput = (place: number): string => `k${place}`;
export const valuesInput = (place: number): string => `v${place}`;

/**
 * q `[places, heads * d]` and, for each place, keys and values `[length, kvHeads * d]` -> o `[places, heads * d]`.
 *
 * Keys stay as they lie. Each head's query is laid out over the columns of all key heads, zero outside its own, so that
 *   scores = scale Q K^T `[heads, length]`, O = softmax(scores) V `[heads, kvHeads * d]`
 * are one product each; of O's row every head takes its own columns. What a place gets depends on that place alone.
 */
export function decodeAttention({ heads, kvHeads, headDim, scoreScale }: ModelConfig, places: number): OpenGraph {
  const width = kvHeads * headDim;
  const group = heads / kvHeads;
  const each = Array.from({ length: places }, (_, place) => place);
  const eachKvHead = Array.from({ length: kvHeads }, (_, head) => head);
  const shape = (name: string, ...sizes: number[]): OnnxInitializer => ({
    name,
    dtype: 'int64',
    shape: [sizes.length],
    data: BigInt64Array.from(sizes.map(BigInt)),
  });
  const ownColumns = new Float32Array(heads * width);
  for (let head = 0; head < heads; head++) {
    const start = head * width + Math.floor(head / group) * headDim;
    ownColumns.fill(scoreScale, start, start + headDim);
  }

  const nodes: OnnxNode[] = [
    { op: 'Reshape', inputs: ['q', 'byHead'], outputs: ['queries'] },
    { op: 'Concat', inputs: eachKvHead.map(() => 'queries'), outputs: ['repeated'], attributes: { axis: 2 } },
    { op: 'Mul', inputs: ['repeated', 'ownColumns'], outputs: ['spread'] },
    { op: 'Reshape', inputs: ['spread', 'rows'], outputs: ['spreadRows'] },
    { op: 'Split', inputs: ['spreadRows', 'perPlace'], outputs: each.map((i) => `Q${i}`), attributes: { axis: 0 } },
    ...each.flatMap((i): OnnxNode[] => [
      {
        op: 'FusedMatMul',
        domain: MICROSOFT_DOMAIN,
        inputs: [`Q${i}`, keysInput(i)],
        outputs: [`S${i}`],
        attributes: { transA: 0, transB: 1, alpha: { float: 1 } },
      },
      { op: 'Softmax', inputs: [`S${i}`], outputs: [`P${i}`], attributes: { axis: -1 } },
      { op: 'MatMul', inputs: [`P${i}`, valuesInput(i)], outputs: [`O${i}`] },
    ]),
    { op: 'Concat', inputs: each.map((i) => `O${i}`), outputs: ['mixed'], attributes: { axis: 0 } },
    { op: 'Reshape', inputs: ['mixed', 'byGroup'], outputs: ['groups'] },
    {
      op: 'Split',
      inputs: ['groups', 'perKvHead'],
      outputs: eachKvHead.map((head) => `G${head}`),
      attributes: { axis: 1 },
    },
    ...eachKvHead.map(
      (head): OnnxNode => ({
        op: 'Slice',
        inputs: [`G${head}`, `from${head}`, `from${head + 1}`, 'lastAxis'],
        outputs: [`own${head}`],
      }),
    ),
    { op: 'Concat', inputs: eachKvHead.map((head) => `own${head}`), outputs: ['heads'], attributes: { axis: 1 } },
    { op: 'Reshape', inputs: ['heads', 'flat'], outputs: ['o'] },
  ];
  const initializers = [
    { name: 'ownColumns', dtype: 'float32', shape: [heads, width], data: ownColumns } as const,
    shape('byHead', places, heads, headDim),
    shape('rows', places * heads, width),
    shape('perPlace', ...each.map(() => heads)),
    shape('byGroup', places, kvHeads, group, width),
    shape('perKvHead', ...eachKvHead.map(() => 1)),
    ...[...eachKvHead, kvHeads].map((head) => shape(`from${head}`, head * headDim)),
    shape('lastAxis', 3),
    shape('flat', places, heads * headDim),
  ];
  const cached = each.flatMap((i): OnnxValue[] => [
    { name: keysInput(i), dtype: 'float32', shape: [`length${i}`, width] },
    { name: valuesInput(i), dtype: 'float32', shape: [`length${i}`, width] },
  ]);
  const rows: OnnxValue['shape'] = [places, heads * headDim];
  const bytes = encodeModel({
    name: 'decode-attention',
    nodes,
    inputs: [{ name: 'q', dtype: 'float32', shape: rows }, ...cached],
    outputs: [{ name: 'o', dtype: 'float32', shape: rows }],
    initializers,
  });
  return { bytes };
}
