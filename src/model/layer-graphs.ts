/** The graphs a pass through the model runs, one for each kind and shape, forward and backward, with weights as inputs. */

import { gradient } from '../graph/gradient.ts';
import { GraphBuilder, type Value } from '../graph/graph.ts';
import type { DType } from '../graph/value.ts';
import type { ModelConfig } from './config.ts';
import {
  type AttentionShape,
  afterAttention,
  beforeAttention,
  linearGroups,
  rmsNorm,
  segmentAttention,
} from './decoder-layer.ts';
import { layerNorms } from './hub-weights.ts';
import { type LinearSettings, loraShapes } from './linear.ts';

/** A graph ready to be emitted: what comes out, and what comes in although the graph could compute it. */
export interface GraphPart {
  readonly g: GraphBuilder;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly given: Readonly<Record<string, Value>>;
}

const GRAD = 'grad.';

/** What lies on each side of a layer's attention. */
const HALVES = {
  before: { groups: ['qkv'], norms: ['norm1', 'normQ', 'normK'] },
  after: { groups: ['o', 'gateUp', 'down'], norms: ['norm2', 'normAttention', 'normMlp'] },
} as const;

/** The trained parameters among the inputs of a half's graph (an adapter's, or all weights), as targets of a gradient. */
function trainedInputs(g: GraphBuilder, config: ModelConfig, half: keyof typeof HALVES, settings: LinearSettings) {
  const { lora, full, dtype = 'float32' } = settings;
  const groups = HALVES[half].groups.map((name) => linearGroups(config)[name]);
  const shapes: Record<string, readonly number[]> = {};
  if (lora) for (const group of groups) Object.assign(shapes, loraShapes(group, lora.rank));
  if (full) {
    const norms = layerNorms(config);
    for (const name of HALVES[half].norms) if (norms[name]) shapes[name] = [norms[name].size];
    for (const { inputs, bias, parts } of groups) {
      for (const { name, outputs } of parts) {
        shapes[`${name}.weight`] = [outputs, inputs];
        if (bias) shapes[`${name}.bias`] = [outputs];
      }
    }
  }
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, g.input(name, dtype, shape)]));
}

/** Gradients by name, `grad.` before each; a target without a path is an error of the wiring. */
function namedGradients(g: GraphBuilder, outputs: Value[], seeds: Value[], targets: Record<string, Value>) {
  const grads = gradient(g, outputs, seeds, Object.values(targets));
  return Object.fromEntries(
    Object.keys(targets).map((name, i) => {
      const grad = grads[i];
      if (!grad) throw new TypeError(`internal: ${name} does not reach the outputs`);
      return [GRAD + name, grad];
    }),
  );
}

const seed = (g: GraphBuilder, name: string, like: Value) => g.input(`d${name}`, like.dtype, like.shape);

/**
 * How q, k, v and o lie in memory between graphs: `joint`, `[rows, heads * d]` each, or `apart`, a matrix of each key head with
 * its queries, `q.<head>` `[rows, heads / kvHeads * d]` and `k.<head>` `[rows, d]`, so that heads can be tasks of their own.
 */
export type HeadLayout = 'joint' | 'apart';

function inLayout(g: GraphBuilder, layout: HeadLayout, kvHeads: number, joint: Record<string, Value>) {
  if (layout === 'joint') return joint;
  const parts = (value: Value) =>
    kvHeads === 1
      ? [value]
      : g.apply('Split', [value], { axis: 1, sizes: Array(kvHeads).fill(value.shape[1]! / kvHeads) });
  return Object.fromEntries(
    Object.entries(joint).flatMap(([name, value]) => parts(value).map((part, head) => [`${name}.${head}`, part])),
  );
}

/** x -> q, k, v. */
export function beforeForward(
  config: ModelConfig,
  rows: number,
  settings: LinearSettings,
  layout: HeadLayout = 'joint',
): GraphPart {
  const g = new GraphBuilder();
  const { q, k, v } = beforeAttention(g, config, rows, settings);
  return { g, outputs: inLayout(g, layout, config.kvHeads, { q, k, v }), given: {} };
}

/** x, dq, dk, dv (apart) and dx (what flows past the layer's first half) -> grad.x and the trained parameters' gradients. */
export function beforeBackward(config: ModelConfig, rows: number, settings: LinearSettings): GraphPart {
  const g = new GraphBuilder();
  const { x, q, k, v } = beforeAttention(g, config, rows, settings);
  const outputs = { ...inLayout(g, 'apart', config.kvHeads, { q, k, v }), x };
  const seeds = Object.entries(outputs).map(([name, value]) => seed(g, name, value));
  const targets = { x, ...trainedInputs(g, config, 'before', settings) };
  return { g, outputs: namedGradients(g, Object.values(outputs), seeds, targets), given: {} };
}

/** The half after attention, and the inputs its o is made of. */
function afterHeads(g: GraphBuilder, config: ModelConfig, rows: number, settings: LinearSettings) {
  const { heads, kvHeads, headDim } = config;
  const shape = [rows, (heads / kvHeads) * headDim];
  const dtype = settings.dtype ?? 'float32';
  const parts = Array.from({ length: kvHeads }, (_, head) => g.input(`o.${head}`, dtype, shape));
  const o = parts.length === 1 ? parts[0]! : g.op('Concat', parts, { axis: 1 });
  const named = Object.fromEntries(parts.map((part, head) => [`o.${head}`, part]));
  return { ...afterAttention(g, config, rows, settings, o), heads: named };
}

/** x, o -> y; `keep` adds middle, gate and up, which the backward graph then takes instead of computing them again. */
export function afterForward(
  config: ModelConfig,
  rows: number,
  settings: LinearSettings,
  keep: boolean,
  layout: HeadLayout = 'joint',
): GraphPart {
  const g = new GraphBuilder();
  const half = layout === 'joint' ? afterAttention : afterHeads;
  const { y, middle, gate, up } = half(g, config, rows, settings);
  return { g, outputs: keep ? { y, middle, gate, up } : { y }, given: {} };
}

/**
 * dy, o (apart) and (kept) middle, gate, up or else x -> grad.x (what flows past attention), grad.o (apart), the trained
 * parameters' gradients.
 */
export function afterBackward(config: ModelConfig, rows: number, settings: LinearSettings, kept: boolean): GraphPart {
  const g = new GraphBuilder();
  const { x, heads, middle, gate, up, y } = afterHeads(g, config, rows, settings);
  const targets = { x, ...heads, ...trainedInputs(g, config, 'after', settings) };
  return { g, outputs: namedGradients(g, [y], [seed(g, 'y', y)], targets), given: kept ? { middle, gate, up } : {} };
}

/** q, k, v, mask -> o. */
export function attentionForward(config: ModelConfig, shape: AttentionShape, dtype?: DType): GraphPart {
  const g = new GraphBuilder();
  const { o } = segmentAttention(g, config, shape, dtype);
  return { g, outputs: { o }, given: {} };
}

/** q, k, v, mask, o, do -> grad.q, grad.k, grad.v. */
export function attentionBackward(config: ModelConfig, shape: AttentionShape, dtype?: DType): GraphPart {
  const g = new GraphBuilder();
  const { q, k, v, o } = segmentAttention(g, config, shape, dtype);
  return { g, outputs: namedGradients(g, [o], [seed(g, 'o', o)], { q, k, v }), given: { o } };
}

/** Rows of the table in one product of the head: its logits are at most 8 MB, which the C library keeps when they are freed. */
const HEAD_COLUMNS = 8192;

/** The part of the vocabulary that the head's graphs call `head.<i>`. */
export interface HeadPart {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** The parts of the vocabulary whose logits are computed one after another. */
export function headParts({ vocabSize }: ModelConfig): HeadPart[] {
  return Array.from({ length: Math.ceil(vocabSize / HEAD_COLUMNS) }, (_, i) => ({
    name: `head.${i}`,
    start: i * HEAD_COLUMNS,
    end: Math.min(vocabSize, (i + 1) * HEAD_COLUMNS),
  }));
}

/**
 * The head on a block of rows: final norm, logits against the (tied) embedding, cross-entropy.
 * Inputs: h `[rows, hidden]`, normFinal, the table E `[vocabulary, hidden]` in the parts of headParts, labelRows = E[label]
 * `[rows, hidden]`, weight `[rows, 1]`.
 * Outputs: loss `[rows, 1]` (unweighted nats; rows of weight 0 are padding) and, with `backward`, grad.h:
 *   loss = log sum exp(z) - z[label], dz = weight (softmax(z) - onehot(label)),
 *   dxn = weight (softmax(z) E - E[label]): neither the logits' gradient nor a one-hot matrix ever exists.
 * Of a part c of the vocabulary, l_c = log sum exp(z_c) = max z_c - log max softmax(z_c), whatever the logits' size, and
 *   softmax(z) E = sum over parts of exp(l_c - l) softmax(z_c) E_c, l = log sum exp(l_c).
 * With `full` also grad.normFinal, and the gradient of E in two parts:
 *   dE = softmax(z)^T (weight xn) [grad.head] - (weight xn)[r] in the row of r's label [weighted].
 */
export function headGraph(
  config: ModelConfig,
  rows: number,
  backward: boolean,
  dtype: DType = 'float32',
  full = false,
): GraphPart {
  const g = new GraphBuilder();
  const { hiddenSize } = config;
  const h = g.input('h', dtype, [rows, hiddenSize]);
  const labelRows = g.input('labelRows', dtype, [rows, hiddenSize]);
  const xn = rmsNorm(g, h, 'normFinal', config.normEpsilon);
  const top = (x: Value) => g.op('ReduceMax', [x], { axes: [1] });
  const parts = headParts(config).map(({ name, start, end }) => {
    const part = g.input(name, dtype, [end - start, hiddenSize]);
    const logits = g.op('MatMul', [xn, part], { transB: 1 });
    const p = g.op('Softmax', [logits]);
    return { part, p, logSum: g.op('Sub', [top(logits), g.op('Log', [top(p)])]) };
  });
  const logSums =
    parts.length === 1
      ? parts[0]!.logSum
      : g.op(
          'Concat',
          parts.map(({ logSum }) => logSum),
          { axis: 1 },
        );
  const largest = top(logSums);
  const sums = g.op('ReduceSum', [g.op('Exp', [g.op('Sub', [logSums, largest])])], { axes: [1] });
  const total = g.op('Add', [g.op('Log', [sums]), largest]);
  const labelLogits = g.op('ReduceSum', [g.op('Mul', [xn, labelRows])], { axes: [1] });
  const loss = g.op('Sub', [total, labelLogits]);
  if (!backward) return { g, outputs: { loss }, given: {} };
  const weight = g.input('weight', dtype, [rows, 1]);
  const shares = parts.map(({ logSum }) => g.op('Exp', [g.op('Sub', [logSum, total])]));
  const expected = parts
    .map(({ p, part }, i) => g.op('Mul', [g.op('MatMul', [p, part]), shares[i]!]))
    .reduce((sum, term) => g.op('Add', [sum, term]));
  const dxn = g.op('Mul', [g.op('Sub', [expected, labelRows]), weight]);
  const targets = full ? { h, normFinal: g.input('normFinal', dtype, [hiddenSize]) } : { h };
  const outputs = { loss, ...namedGradients(g, [xn], [dxn], targets) };
  if (!full) return { g, outputs, given: {} };
  const weighted = g.op('Mul', [xn, weight]);
  const dParts = parts.map(({ p }, i) => g.op('MatMul', [p, g.op('Mul', [weighted, shares[i]!])], { transA: 1 }));
  const dHead = dParts.length === 1 ? dParts[0]! : g.op('Concat', dParts, { axis: 0 });
  return { g, outputs: { ...outputs, 'grad.head': dHead, weighted }, given: {} };
}

/** Logits `[rows, vocabulary]` of h `[rows, hidden]`, for generation. */
export function logitsGraph(config: ModelConfig, rows: number, dtype: DType = 'float32'): GraphPart {
  const g = new GraphBuilder();
  const h = g.input('h', dtype, [rows, config.hiddenSize]);
  const table = g.input('head', dtype, [config.vocabSize, config.hiddenSize]);
  const logits = g.op('MatMul', [rmsNorm(g, h, 'normFinal', config.normEpsilon), table], { transB: 1 });
  return { g, outputs: { logits }, given: {} };
}
