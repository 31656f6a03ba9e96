/** The whole decoder as one ONNX model with a key-value cache, in the layout transformers.js loads. */

import type { Tensor } from '../graph/value.ts';
import type { ModelConfig } from '../model/config.ts';
import { GELU_TERMS, linearGroups } from '../model/decoder-layer.ts';
import { jointParameters } from '../model/joint-parameters.ts';
import type { OnnxModel } from '../onnx/model-proto.ts';
import type { AdaptedModel } from '../quantize/student-model.ts';
import { attentionContexts, decoderAttention, TO_END } from './decoder-attention.ts';
import { decoderLinear, type LayerLinears } from './decoder-linear.ts';
import { NodeList } from './node-list.ts';

/** transformers.js makes an empty cache of this symbol's size; every other symbol in a cache's shape is 0 to it. */
const BATCH = 'batch_size';
const SEQUENCE = 'sequence_length';
const PAST = 'past_sequence_length';
const TOTAL = 'total_sequence_length';

/**
 * Inputs: input_ids i64 `[batch, sequence]`, attention_mask i64 `[batch, past + sequence]` (0: padding, left or right),
 * num_logits_to_keep i64 scalar (0: all), past_key_values.N.key and .value `[batch, kvHeads, past, headDim]`.
 * Outputs: logits `[batch, kept, vocabulary]`, present.N.key and .value `[batch, kvHeads, past + sequence, headDim]`.
 * Positions are counted from the mask, so a row is the same whatever its padding and its neighbours.
 * An adapter stays in f32 beside the base's linears; merge it into the weights first to have it inside.
 */
export function decoderModel({ model, adapter }: AdaptedModel): OnnxModel {
  const { config } = model;
  const { intermediateSize, heads, kvHeads, headDim, normEpsilon, vocabSize, embeddingScale } = config;
  const groups = linearGroups(config);
  const list = new NodeList();
  const ids = list.input('input_ids', 'int64', [BATCH, SEQUENCE]);
  const mask = list.input('attention_mask', 'int64', [BATCH, TOTAL]);
  const kept = list.input('num_logits_to_keep', 'int64', []);
  const norm = (x: string, name: string, weight: Tensor) => {
    const attributes = { axis: -1, stash_type: 1, epsilon: { float: normEpsilon } };
    return list.op('SimplifiedLayerNormalization', [x, list.weight(name, weight)], attributes);
  };
  const embedding = list.weight('embedding', model.embedding);
  const contexts = attentionContexts(list, config, ids, mask);

  let x = list.op('Gather', [embedding, ids]);
  if (embeddingScale !== 1) x = list.op('Mul', [x, list.float(embeddingScale)]);
  const joint = (parameters: Readonly<Record<string, Tensor>>) => jointParameters(Object.values(groups), parameters);
  for (const [layer, parts] of model.layers.entries()) {
    const prefix = `layers.${layer}`;
    const weights = joint(parts);
    const linears: LayerLinears = {
      weights,
      precision: model.precision,
      prefix,
      ...(adapter ? { adapter: { scale: adapter.scale, tensors: joint(adapter.layers[layer]!) } } : {}),
    };
    const linear = (input: string, group: keyof typeof groups) => decoderLinear(list, input, groups[group], linears);
    const cache = (kind: 'key' | 'value') =>
      list.input(`past_key_values.${layer}.${kind}`, 'float32', [BATCH, kvHeads, PAST, headDim]);
    const present = [`present.${layer}.key`, `present.${layer}.value`] as const;

    const layerNorm = (input: string, name: string) => norm(input, `${prefix}.${name}`, weights[name]!);
    const outputNorm = (output: string, name: string) => (config.outputNorms ? layerNorm(output, name) : output);
    const normHeads = (qk: string) => {
      if (!config.headNorms) return qk;
      const [q, k] = list.ops('Split', [qk, list.integers([heads, kvHeads])], { axis: 2 }, 2) as [string, string];
      return list.op('Concat', [layerNorm(q, 'normQ'), layerNorm(k, 'normK')], { axis: 2 });
    };

    const qkv = linear(layerNorm(x, 'norm1'), 'qkv');
    const past = [cache('key'), cache('value')] as const;
    const o = decoderAttention(list, config, qkv, past, present, contexts[layer]!, normHeads);
    for (const name of present) list.output(name, 'float32', [BATCH, kvHeads, TOTAL, headDim]);
    const middle = list.op('Add', [x, outputNorm(linear(o, 'o'), 'normAttention')]);
    const gateUp = linear(layerNorm(middle, 'norm2'), 'gateUp');
    const halves = list.integers([intermediateSize, intermediateSize]);
    const [gate, up] = list.ops('Split', [gateUp, halves], { axis: 2 }, 2) as [string, string];
    const activated = list.op('Mul', [activation(list, gate, config.activation), up]);
    x = list.op('Add', [middle, outputNorm(linear(activated, 'down'), 'normMlp')]);
  }

  // The last n rows; from row -0, which is all of them, where n is 0.
  const from = list.op('Neg', [list.op('Reshape', [kept, list.integers([1])])]);
  const rows = list.op('Slice', [x, from, list.integers([TO_END]), list.integers([1])]);
  const head = model.head === model.embedding ? embedding : list.weight('head', model.head);
  const product = { transA: 0, transB: 1, alpha: { float: 1 } };
  list.op('FusedMatMul', [norm(rows, 'norm', model.normFinal), head], product, 'logits');
  list.output('logits', 'float32', [BATCH, 'kept_length', vocabSize]);
  const { nodes, inputs, outputs, initializers } = list;
  return { name: 'decoder', nodes, inputs, outputs, initializers };
}

/** The same gate as in src/model/decoder-layer.ts. */
function activation(list: NodeList, x: string, kind: ModelConfig['activation']): string {
  if (kind === 'silu') return list.op('Mul', [x, list.op('Sigmoid', [x])]);
  const [linearTerm, cubicTerm] = GELU_TERMS.map((term) => list.float(term)) as [string, string];
  const slope = list.op('Add', [list.op('Mul', [list.op('Mul', [x, x]), cubicTerm]), linearTerm]);
  return list.op('Mul', [x, list.op('Sigmoid', [list.op('Mul', [x, slope])])]);
}
