/** The file's linears against those of training: the same codes, products and sums. */

import { expect, it } from 'vitest';
import { busyAdapter, loraOf, tinyWeights } from '../../test/tiny-models.ts';
import { randomStream } from '../foundation/random.ts';
import { GraphBuilder } from '../graph/graph.ts';
import type { Tensor } from '../graph/value.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { jointParameters } from '../model/joint-parameters.ts';
import { linear } from '../model/linear.ts';
import { emitGraph } from '../onnx/emit.ts';
import { encodeModel } from '../onnx/model-proto.ts';
import { createSession } from '../onnx/session.ts';
import { noSmoothing, quantizedModel } from '../quantize/smooth-quant.ts';
import { decoderLinear } from './decoder-linear.ts';
import { NodeList } from './node-list.ts';

const weights = tinyWeights();
const layer = quantizedModel(weights, noSmoothing(weights)).layers[0]!;
const adapter = busyAdapter(weights.config, { rank: 4, alpha: 8 });
const groups = Object.values(linearGroups(weights.config));
const ROWS = 37;

async function run(bytes: Uint8Array, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await createSession(bytes, { threads: 1 });
  const outputs = await session.run(feeds);
  await session.release();
  return outputs;
}

/** Outputs of a group on the same rows, part by part: of the file's product, and of the training graph's. */
async function both(group: (typeof groups)[number], withAdapter: boolean): Promise<[number[][], number[][]]> {
  const { name, inputs, parts } = group;
  const random = randomStream('decoder linear', name);
  const data = Float32Array.from({ length: ROWS * inputs }, () => random.uniform() - 0.5);
  const lora = loraOf(adapter);

  const list = new NodeList();
  const x = list.input('x', 'float32', [1, ROWS, inputs]);
  const beside = { tensors: jointParameters(groups, adapter.layers[0]!), scale: lora.scale };
  const weightsOf = jointParameters(groups, layer);
  const made = {
    weights: weightsOf,
    precision: 'w8a8',
    prefix: 'l',
    ...(withAdapter ? { adapter: beside } : {}),
  } as const;
  const y = decoderLinear(list, x, group, made);
  const total = parts.reduce((sum, { outputs }) => sum + outputs, 0);
  list.output(y, 'float32', [1, ROWS, total]);
  const file = encodeModel({ ...list, name: 'linear', initializers: list.initializers });
  const wide = (await run(file, { x: { dtype: 'float32', shape: [1, ROWS, inputs], data } }))[y]!.data as Float32Array;

  const g = new GraphBuilder();
  const settings = { precision: 'w8a8', ...(withAdapter ? { lora } : {}) } as const;
  const values = linear(g, g.input('x', 'float32', [ROWS, inputs]), group, settings);
  const outputs = Object.fromEntries(values.map((value, i) => [parts[i]!.name, value]));
  const feeds = { ...layer, ...adapter.layers[0]!, x: { dtype: 'float32', shape: [ROWS, inputs], data } } as const;
  const trained = await run(emitGraph(g, outputs).bytes, feeds);
  let left = 0;
  const found = parts.map(({ outputs: width }) => {
    const start = left;
    left += width;
    return Array.from({ length: ROWS * width }, (_, i) => wide[Math.floor(i / width) * total + start + (i % width)]!);
  });
  return [found, parts.map((part) => [...(trained[part.name]!.data as Float32Array)])];
}

it.each(groups)('gives the bits of training in w8a8 ($name)', async (group) => {
  const [found, expected] = await both(group, false);
  expect(found).toEqual(expected);
});

it.each(groups)('adds the adapter as training does, but for its last rounding ($name)', async (group) => {
  const [found, expected] = await both(group, true);
  const largest = Math.max(...expected.flat().map(Math.abs));
  for (const [i, part] of found.entries()) {
    const off = part.map((value, j) => Math.abs(value - expected[i]![j]!));
    expect(Math.max(...off) / largest).toBeLessThan(5e-7);
  }
});
