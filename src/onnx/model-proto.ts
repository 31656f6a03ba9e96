/** ONNX ModelProto (onnx.proto3): the few messages a model file needs, as plain objects turned into bytes. */

import type { DType, Tensor } from '../graph/value.ts';
import { ProtobufWriter } from './protobuf.ts';

/** One pinned opset; every op of the graph room exists in it. */
export const ONNX_OPSET = 21;
const IR_VERSION = 10;
export const MICROSOFT_DOMAIN = 'com.microsoft';

const DATA_TYPES: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly op: string;
  readonly domain?: string;
  /** Names; '' leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers become INT; write `{ float: x }` for FLOAT attributes. */
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  /** Numbers, or names of symbolic dimensions. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxInitializer extends Tensor {
  readonly name: string;
}

/** A tensor whose bytes lie in a file beside the model (onnx external data). */
export interface OnnxExternalInitializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly external: { readonly location: string; readonly offset: number; readonly length: number };
}

export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly (OnnxInitializer | OnnxExternalInitializer)[];
}

/** The bytes of a model file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelMessage(model).finish();
}

/** The bytes of a model file in pieces; large tensors are views of the model's own data, not copies. */
export function encodeModelParts(model: OnnxModel): readonly Uint8Array[] {
  return modelMessage(model).parts();
}

function modelMessage(model: OnnxModel): ProtobufWriter {
  const graph = new ProtobufWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  graph.string(2, model.name);
  for (const initializer of model.initializers) graph.message(5, encodeInitializer(initializer));
  for (const input of model.inputs) graph.message(11, encodeValue(input));
  for (const output of model.outputs) graph.message(12, encodeValue(output));
  const opset = (domain: string, version: number) => new ProtobufWriter().string(1, domain).integer(2, version);
  return new ProtobufWriter()
    .integer(1, IR_VERSION)
    .string(2, 'mga-distill')
    .message(7, graph)
    .message(8, opset('', ONNX_OPSET))
    .message(8, opset(MICROSOFT_DOMAIN, 1));
}

function encodeNode({ op, domain, inputs, outputs, attributes = {} }: OnnxNode): ProtobufWriter {
  const node = new ProtobufWriter();
  for (const input of inputs) node.string(1, input);
  for (const output of outputs) node.string(2, output);
  node.string(4, op);
  for (const [name, value] of Object.entries(attributes)) node.message(5, encodeAttribute(name, value));
  if (domain) node.string(7, domain);
  return node;
}

function encodeAttribute(name: string, value: OnnxAttribute): ProtobufWriter {
  const attribute = new ProtobufWriter().string(1, name);
  if (typeof value === 'number') return attribute.integer(3, value).integer(20, 2);
  if (typeof value === 'string') return attribute.bytes(4, new TextEncoder().encode(value)).integer(20, 3);
  if ('float' in value) return attribute.float(2, value.float).integer(20, 1);
  for (const item of value) attribute.integer(8, item);
  return attribute.integer(20, 7);
}

function encodeInitializer(initializer: OnnxInitializer | OnnxExternalInitializer): ProtobufWriter {
  const tensor = new ProtobufWriter();
  for (const dimension of initializer.shape) tensor.integer(1, dimension);
  tensor.integer(2, DATA_TYPES[initializer.dtype]).string(8, initializer.name);
  if ('data' in initializer) {
    const { buffer, byteOffset, byteLength } = initializer.data;
    return tensor.bytes(9, new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  for (const [key, value] of Object.entries(initializer.external)) {
    tensor.message(13, new ProtobufWriter().string(1, key).string(2, String(value)));
  }
  return tensor.integer(14, 1);
}

function encodeValue({ name, dtype, shape }: OnnxValue): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const dimension of shape) {
    dimensions.message(
      1,
      typeof dimension === 'number'
        ? new ProtobufWriter().integer(1, dimension)
        : new ProtobufWriter().string(2, dimension),
    );
  }
  const tensorType = new ProtobufWriter().integer(1, DATA_TYPES[dtype]).message(2, dimensions);
  return new ProtobufWriter().string(1, name).message(2, new ProtobufWriter().message(1, tensorType));
}
