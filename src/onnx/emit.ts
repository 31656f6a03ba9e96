/** Graph -> ONNX: lowers composites, names values, turns attributes that ONNX wants as inputs into constants. */

import { type GraphBuilder, type Node, reachableNodes, type Value } from '../graph/graph.ts';
import { OPS } from '../graph/ops/table.ts';
import type { Tensor } from '../graph/value.ts';
import { verifyGraph } from '../graph/verify.ts';
import {
  encodeModel,
  MICROSOFT_DOMAIN,
  type OnnxAttribute,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
} from './model-proto.ts';

export interface EmittedGraph {
  readonly bytes: Uint8Array;
  /** Names of the inputs the graph really reads. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * The model file of the nodes that `outputs` need.
 *
 * @param g the builder of the values (lowering builds nodes in it)
 * @param given values that come in from outside under these names, although the graph knows how to make them
 */
export function emitGraph(
  g: GraphBuilder,
  outputs: Readonly<Record<string, Value>>,
  given: Readonly<Record<string, Value>> = {},
): EmittedGraph {
  const givenNames = new Map<Value, string>(Object.entries(given).map(([name, value]) => [value, name]));
  const cut = new Set(givenNames.keys());
  verifyGraph(Object.values(outputs), cut);

  const nodes: OnnxNode[] = [];
  const inputs = new Map<string, Value>();
  const initializers = new Map<string, OnnxInitializer>();
  const constant = (tensor: Tensor, name: string) => {
    if (!initializers.has(name)) initializers.set(name, { ...tensor, name });
    return name;
  };
  const integers = (values: readonly number[]) =>
    constant(
      { dtype: 'int64', shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) },
      `%i64_${values.join('_')}`,
    );
  const lowered = new Map<Value, Value>();

  // Names of our own begin with %, so that they never meet the names of inputs and outputs.
  const nameOf = (value: Value): string => {
    const givenName = givenNames.get(value);
    const { source } = value;
    const name = givenName ?? (source.kind === 'input' ? source.name : undefined);
    if (name !== undefined) {
      if ((inputs.get(name) ?? value) !== value) throw new TypeError(`internal: two inputs are called ${name}`);
      inputs.set(name, value);
      return name;
    }
    if (source.kind === 'constant') return constant(source.tensor, `%c${value.id}`);
    const replacement = lowered.get(value);
    return replacement ? nameOf(replacement) : `%v${value.id}`;
  };

  const emitted = new Set<Node>();
  const emitNodes = (values: readonly Value[]) => {
    for (const node of reachableNodes(values, cut)) {
      if (emitted.has(node)) continue;
      emitted.add(node);
      const replacements = OPS[node.op].lower?.(g, node.inputs, node.attributes);
      if (replacements) {
        emitNodes(replacements);
        for (const [i, output] of node.outputs.entries()) lowered.set(output, replacements[i]!);
      } else {
        nodes.push(
          onnxNode(
            node,
            node.inputs.map(nameOf),
            node.outputs.map((o) => `%v${o.id}`),
            integers,
          ),
        );
      }
    }
  };
  emitNodes(Object.values(outputs));
  // A node's output takes the graph output's name; an Identity would copy it. Inputs and second names need one.
  const renamed = new Map<string, string>();
  for (const [name, value] of Object.entries(outputs)) {
    const inner = nameOf(value);
    if (inner.startsWith('%v') && !renamed.has(inner)) renamed.set(inner, name);
    else nodes.push({ op: 'Identity', inputs: [inner], outputs: [name] });
  }
  const rename = (name: string) => renamed.get(name) ?? name;

  const bytes = encodeModel({
    name: 'graph',
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) })),
    inputs: Array.from(inputs, onnxValue),
    outputs: Object.entries(outputs).map(onnxValue),
    initializers: [...initializers.values()],
  });
  return { bytes, inputs: [...inputs.keys()], outputs: Object.keys(outputs) };
}

const onnxValue = ([name, { dtype, shape }]: [string, Value]): OnnxValue => ({ name, dtype, shape });

/** How ops are spelled in ONNX where it is not the identity. */
function onnxNode(
  node: Node,
  inputs: readonly string[],
  outputs: readonly string[],
  integers: (values: readonly number[]) => string,
): OnnxNode {
  const { op, attributes } = node;
  const list = (key: string) => attributes[key] as readonly number[];
  const numbers = attributes as Record<string, number>;
  switch (op) {
    case 'MatMul': {
      const { transA = 0, transB = 0, alpha = 1 } = numbers;
      if (!transA && !transB && alpha === 1) return { op, inputs, outputs };
      const fused: Record<string, OnnxAttribute> = { transA, transB, alpha: { float: alpha } };
      return { op: 'FusedMatMul', domain: MICROSOFT_DOMAIN, inputs, outputs, attributes: fused };
    }
    case 'Gemm': {
      const { transA = 0, transB = 0, alpha = 1 } = numbers;
      return { op, inputs, outputs, attributes: { transA, transB, alpha: { float: alpha } } };
    }
    case 'MatMulIntegerToFloat': {
      const [a, b, aScale, bScale, aZero] = inputs as [string, string, string, string, string];
      return { op, domain: MICROSOFT_DOMAIN, inputs: [a, b, aScale, bScale, aZero], outputs };
    }
    case 'RotaryEmbedding': {
      // Positions count from 0: the tables hold the angles of these very rows.
      const [x, cos, sin] = inputs as [string, string, string];
      return { op, domain: MICROSOFT_DOMAIN, inputs: [x, integers([0]), cos, sin], outputs };
    }
    case 'SimplifiedLayerNormalization':
      return { op, inputs, outputs, attributes: { axis: -1, stash_type: 1, epsilon: { float: numbers.epsilon! } } };
    case 'Softmax':
      return { op, inputs, outputs, attributes: { axis: -1 } };
    case 'ReduceSum':
    case 'ReduceMean':
    case 'ReduceMax':
    case 'ReduceMin':
      return { op, inputs: [...inputs, integers(list('axes'))], outputs, attributes: { keepdims: 1 } };
    case 'Reshape':
    case 'Expand':
      return { op, inputs: [...inputs, integers(list('shape'))], outputs };
    case 'Pad':
      return { op, inputs: [...inputs, integers(list('pads'))], outputs };
    case 'Split':
      return { op, inputs: [...inputs, integers(list('sizes'))], outputs, attributes: { axis: numbers.axis! } };
    case 'Slice':
      return {
        op,
        inputs: [...inputs, integers([numbers.start!]), integers([numbers.end!]), integers([numbers.axis!])],
        outputs,
      };
    default:
      return { op, inputs, outputs, attributes };
  }
}
