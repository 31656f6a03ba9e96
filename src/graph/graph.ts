/** The graph builder: values, nodes, interning. Ops are looked up in one table; nothing is computed here. */

import type { OpName } from './ops/op-name.ts';
import { OPS } from './ops/table.ts';
import type { DType, Shape, Tensor, TensorType } from './value.ts';

export type AttributeValue = number | string | readonly number[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A tensor of the graph: an input, a constant, or an output of a node. */
export interface Value extends TensorType {
  readonly id: number;
  readonly source:
    | { readonly kind: 'input'; readonly name: string }
    | { readonly kind: 'constant'; readonly tensor: Tensor }
    | { readonly kind: 'node'; readonly node: Node; readonly index: number };
}

export interface Node {
  readonly id: number;
  readonly op: OpName;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** Builds one graph. Equal (op, inputs, attributes) give the same node, so common subexpressions are shared. */
export class GraphBuilder {
  private nextId = 0;
  private readonly interned = new Map<string, Node>();
  private readonly constants = new Map<string, Value>();
  private readonly inputs = new Map<string, Value>();

  /** A graph input. Asking for a name again gives the same value. */
  input(name: string, dtype: DType, shape: Shape): Value {
    const known = this.inputs.get(name);
    if (known) {
      if (known.dtype !== dtype || known.shape.join() !== shape.join()) {
        throw new TypeError(`internal: input ${name} was ${describe(known)}, now ${describe({ dtype, shape })}`);
      }
      return known;
    }
    const value: Value = { id: this.nextId++, dtype, shape, source: { kind: 'input', name } };
    this.inputs.set(name, value);
    return value;
  }

  /** A constant tensor, shared by content where it is small. */
  constant(tensor: Tensor): Value {
    const key = tensor.data.length <= SHARED_CONSTANT_LENGTH ? `${describe(tensor)}:${tensor.data.join()}` : undefined;
    const known = key === undefined ? undefined : this.constants.get(key);
    if (known) return known;
    const { dtype, shape } = tensor;
    const value: Value = { id: this.nextId++, dtype, shape, source: { kind: 'constant', tensor } };
    if (key !== undefined) this.constants.set(key, value);
    return value;
  }

  /** A scalar constant of a floating type. */
  scalar(x: number, dtype: DType): Value {
    const data = dtype === 'float64' ? Float64Array.of(x) : Float32Array.of(x);
    return this.constant({ dtype, shape: [], data });
  }

  /** All outputs of an op. */
  apply(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const key = `${op}(${inputs.map((input) => input.id).join()})${JSON.stringify(attributes)}`;
    const known = this.interned.get(key);
    if (known) return known.outputs;
    const types = infer(op, inputs, attributes);
    const outputs: Value[] = [];
    const node: Node = { id: this.nextId++, op, inputs, attributes, outputs };
    for (const [index, { dtype, shape }] of types.entries()) {
      outputs.push({ id: this.nextId++, dtype, shape, source: { kind: 'node', node, index } });
    }
    this.interned.set(key, node);
    return outputs;
  }

  /** The first output of an op. */
  op(op: OpName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.apply(op, inputs, attributes)[0]!;
  }
}

/** Constants up to this many elements are compared by content; larger ones would cost more to compare than to keep. */
const SHARED_CONSTANT_LENGTH = 64;

/** The output types of an op, or a TypeError that names the op and what it was given. */
export function infer(op: OpName, inputs: readonly TensorType[], attributes: Attributes): TensorType[] {
  try {
    return OPS[op].infer(inputs, attributes);
  } catch (error) {
    const given = inputs.map(describe).join(', ');
    throw new TypeError(`Cannot apply ${op} to (${given}) ${JSON.stringify(attributes)}: ${(error as Error).message}`);
  }
}

/** `f32[4,64]`, for messages and printed graphs. */
export function describe({ dtype, shape }: TensorType): string {
  return `${dtype.replace('float', 'f').replace('uint', 'u').replace('int', 'i')}[${shape.join()}]`;
}

/**
 * The nodes that `outputs` need, in execution order. The walk stops at values in `given`: they count as inputs,
 * whatever made them (this is how a backward graph takes kept activations instead of recomputing them).
 */
export function reachableNodes(outputs: readonly Value[], given: ReadonlySet<Value> = new Set()): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const visit = (value: Value) => {
    if (value.source.kind !== 'node' || given.has(value)) return;
    const stack: { node: Node; next: number }[] = [];
    const enter = (node: Node) => {
      if (!seen.has(node)) {
        seen.add(node);
        stack.push({ node, next: 0 });
      }
    };
    enter(value.source.node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (input.source.kind === 'node' && !given.has(input)) {
        enter(input.source.node);
      }
    }
  };
  for (const output of outputs) visit(output);
  return order;
}
