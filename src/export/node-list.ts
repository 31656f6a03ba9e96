/** Nodes and weights of an ONNX graph with symbolic dimensions, collected in order: what the static graph room cannot say. */

import type { Tensor } from '../graph/value.ts';
import {
  MICROSOFT_DOMAIN,
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
} from '../onnx/model-proto.ts';

/** ONNX's own ops need no domain; these are ONNX Runtime's. */
const MICROSOFT_OPS = new Set(['FusedMatMul', 'MatMulIntegerToFloat']);

export class NodeList {
  readonly nodes: OnnxNode[] = [];
  readonly inputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  private readonly weights = new Map<string, OnnxInitializer>();

  get initializers(): OnnxInitializer[] {
    return [...this.weights.values()];
  }

  /** A graph input; returns its name. */
  input(name: string, dtype: OnnxValue['dtype'], shape: OnnxValue['shape']): string {
    this.inputs.push({ name, dtype, shape });
    return name;
  }

  /** Declares the graph output `name`, which some node makes. */
  output(name: string, dtype: OnnxValue['dtype'], shape: OnnxValue['shape']): void {
    this.outputs.push({ name, dtype, shape });
  }

  /** A weight stored in the file; returns its name. */
  weight(name: string, tensor: Tensor): string {
    if (!this.weights.has(name)) this.weights.set(name, { ...tensor, name });
    return name;
  }

  /** int64 constant: a list, or a scalar. Equal ones are stored once. */
  integers(values: readonly number[] | number): string {
    const list = typeof values === 'number' ? [values] : values;
    const shape = typeof values === 'number' ? [] : [list.length];
    const name = `i64.${shape.length === 0 ? 'scalar.' : ''}${list.join('_')}`;
    return this.weight(name, { dtype: 'int64', shape, data: BigInt64Array.from(list.map(BigInt)) });
  }

  /** float32 scalar. */
  float(value: number): string {
    return this.weight(`f32.${value}`, { dtype: 'float32', shape: [], data: Float32Array.of(value) });
  }

  /** Adds a node with one output; returns the output's name, which is `output` where given. */
  op(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, output?: string): string {
    return this.ops(op, inputs, attributes, [output ?? `${op}.${this.nodes.length}`])[0]!;
  }

  /** Adds a node with several outputs: their names, or how many. */
  ops(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute> | undefined,
    outputs: readonly string[] | number,
  ): string[] {
    const names =
      typeof outputs === 'number'
        ? Array.from({ length: outputs }, (_, i) => `${op}.${this.nodes.length}.${i}`)
        : [...outputs];
    this.nodes.push({
      op,
      inputs,
      outputs: names,
      ...(attributes ? { attributes } : {}),
      ...(MICROSOFT_OPS.has(op) ? { domain: MICROSOFT_DOMAIN } : {}),
    });
    return names;
  }
}
