/** The whole decoder as one ONNX model with a key-value cache, in the layout transformers.js loads. */

import type { Tensor } from '../graph/value.ts';
import { linearGroups } from '../model/llama.ts';
import type { OnnxModel } from '../onnx/model-proto.ts';
import type { AdaptedModel } from '../quantize/student-model.ts';
import { attentionContext, decoderAttention, TO_END } from './decoder-attention.ts';
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
  const { intermediateSize, kvHeads, headDim, normEpsilon, vocabSize } = config;
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
  const context = attentionContext(list, config, ids, mask);

  let x = list.op('Gather', [embedding, ids]);
  for (const [layer, weights] of model.layers.entries()) {
    const prefix = `layers.${layer}`;
    const linears: LayerLinears = {
      weights,
      precision: model.precision,
      prefix,
      ...(adapter ? { adapter: { ...adapter, tensors: adapter.layers[layer]! } } : {}),
    };
    const linear = (input: string, group: keyof typeof groups) => decoderLinear(list, input, groups[group], linears);
    const cache = (kind: 'key' | 'value') =>
      list.input(`past_key_values.${layer}.${kind}`, 'float32', [BATCH, kvHeads, PAST, headDim]);
    const present = [`present.${layer}.key`, `present.${layer}.value`] as const;

    const qkv = linear(norm(x, `${prefix}.norm1`, weights.norm1!), 'qkv');
    const o = decoderAttention(list, config, qkv, [cache('key'), cache('value')], present, context);
    for (const name of present) list.output(name, 'float32', [BATCH, kvHeads, TOTAL, headDim]);
    const middle = list.op('Add', [x, linear(o, 'o')]);
    const gateUp = linear(norm(middle, `${prefix}.norm2`, weights.norm2!), 'gateUp');
    const halves = list.integers([intermediateSize, intermediateSize]);
    const [gate, up] = list.ops('Split', [gateUp, halves], { axis: 2 }, 2) as [string, string];
    const activated = list.op('Mul', [list.op('Mul', [gate, list.op('Sigmoid', [gate])]), up]);
    x = list.op('Add', [middle, linear(activated, 'down')]);
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
