/** The linears of an exported decoder: the joint products of src/model/linear.ts, with their weights in the file. */

import { ACTIVATION_STEP, SMALLEST_ABSMAX, ZERO_POINT } from '../graph/ops/quantized.ts';
import type { Tensor } from '../graph/value.ts';
import { type LinearGroup, outputsOf, type Precision } from '../model/linear.ts';
import { transposed } from '../model/transposed.ts';
import type { NodeList } from './node-list.ts';

/** What a layer's linears are made of. */
export interface LayerLinears {
  /** Weights of joint products (jointParameters). */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly precision: Precision;
  /** Joint parameters of an adapter that stays beside the base. */
  readonly adapter?: {
    readonly tensors: Readonly<Record<string, Tensor>>;
    readonly scale: number;
  };
  /** Begins the names the weights get in the file. */
  readonly prefix: string;
}

/** y = x W + bias + scale (x A) B of x `[batch, sequence, inputs]`, the parts' outputs side by side. */
export function decoderLinear(list: NodeList, x: string, group: LinearGroup, layer: LayerLinears): string {
  const { adapter, prefix, weights } = layer;
  const plain = layer.precision === 'f32' ? product(list, x, group, layer) : int8Product(list, x, group, layer);
  const bias = () => list.weight(`${prefix}.${group.name}.bias`, weights[`${group.name}.bias`]!);
  const base = group.bias ? list.op('Add', [plain, bias()]) : plain;
  if (!adapter) return base;
  const a = list.weight(`${prefix}.${group.name}.lora_A`, adapter.tensors[`${group.name}.A`]!);
  const { data, ...type } =
    adapter.tensors[group.parts.length === 1 ? `${group.name}.B.${group.name}` : `${group.name}.B`]!;
  const scaled = (data as Float32Array).map((value) => adapter.scale * value);
  const b = list.weight(`${prefix}.${group.name}.lora_B`, { ...type, data: scaled });
  return list.op('Add', [base, list.op('MatMul', [list.op('MatMul', [x, a]), b])]);
}

function product(list: NodeList, x: string, group: LinearGroup, { weights, prefix }: LayerLinears): string {
  const { data } = weights[`${group.name}.weight`]!;
  const outputs = outputsOf(group);
  const tensor: Tensor = {
    dtype: 'float32',
    shape: [group.inputs, outputs],
    data: transposed(data as Float32Array, outputs, group.inputs),
  };
  return list.op('MatMul', [x, list.weight(`${prefix}.${group.name}.weight`, tensor)]);
}

/** The grid of graph/ops/quantized.ts, node by node, so that the file computes what training computed. */
function int8Product(list: NodeList, x: string, group: LinearGroup, { weights, prefix }: LayerLinears): string {
  const step = list.float(ACTIVATION_STEP);
  const zero = list.weight('u8.zero_point', { dtype: 'uint8', shape: [], data: Uint8Array.of(ZERO_POINT) });
  const absmax = list.op('ReduceMax', [list.op('Abs', [x]), list.integers([-1])], { keepdims: 1 });
  const guarded = list.op('Max', [absmax, list.float(SMALLEST_ABSMAX)]);
  const codes = list.op('QuantizeLinear', [list.op('Div', [x, guarded]), step, zero]);
  const weight = list.weight(`${prefix}.${group.name}.int8`, weights[`${group.name}.int8`]!);
  const scale = list.weight(`${prefix}.${group.name}.scale`, weights[`${group.name}.scale`]!);
  return list.op('Mul', [list.op('MatMulIntegerToFloat', [codes, weight, step, scale, zero]), guarded]);
}
