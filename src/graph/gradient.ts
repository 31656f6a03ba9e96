/** Reverse-mode differentiation: one sweep over the graph that builds the gradient's nodes. */

import { describe, type GraphBuilder, type Node, reachableNodes, type Value } from './graph.ts';
import { OPS } from './ops/table.ts';

/**
 * Gradients of sum_i <seeds[i], outputs[i]> with respect to `targets`, as values of the same builder.
 *
 * Only nodes on a path from a target to an output are visited, so frozen weights cost nothing. Broadcast dimensions are
 * summed out here, for every op at once. A target that no output depends on has gradient null.
 *
 * @throws TypeError where a path crosses an op without a derivative, naming the op and the path behind it
 */
export function gradient(
  g: GraphBuilder,
  outputs: readonly Value[],
  seeds: readonly Value[],
  targets: readonly Value[],
): (Value | null)[] {
  const order = reachableNodes(outputs);
  const active = new Set<Value>(targets);
  for (const node of order) {
    if (node.inputs.some((input) => active.has(input))) for (const output of node.outputs) active.add(output);
  }

  const grads = new Map<Value, Value>();
  const accumulate = (value: Value, grad: Value) => {
    const known = grads.get(value);
    grads.set(value, known ? g.op('Add', [known, grad]) : grad);
  };
  for (const [i, output] of outputs.entries()) {
    if (output.shape.join() !== seeds[i]!.shape.join()) throw new TypeError('internal: seed and output shapes differ');
    if (active.has(output)) accumulate(output, seeds[i]!);
  }

  for (const node of order.reverse()) {
    const nodeGrads = node.outputs.map((output) => grads.get(output) ?? null);
    const needs = node.inputs.map((input) => active.has(input));
    if (nodeGrads.every((grad) => grad === null) || !needs.includes(true)) continue;
    const { vjp } = OPS[node.op];
    if (!vjp) throw new TypeError(`internal: ${node.op} has no derivative (${path(node)})`);
    const inputGrads = vjp({ g, node, inputs: node.inputs, outputs: node.outputs, grads: nodeGrads, needs });
    if (inputGrads.length !== node.inputs.length) {
      throw new TypeError(`internal: ${node.op} gave ${inputGrads.length} gradients for ${node.inputs.length} inputs`);
    }
    for (const [i, input] of node.inputs.entries()) {
      const grad = inputGrads[i];
      if (needs[i] && grad) accumulate(input, unbroadcast(g, grad, input));
    }
  }
  return targets.map((target) => grads.get(target) ?? null);
}

/** Sums a gradient over the dimensions along which its value was broadcast. */
function unbroadcast(g: GraphBuilder, grad: Value, like: Value): Value {
  if (grad.shape.join() === like.shape.join()) return grad;
  const lead = grad.shape.length - like.shape.length;
  const axes = grad.shape.flatMap((d, axis) =>
    axis < lead || (like.shape[axis - lead] === 1 && d !== 1) ? [axis] : [],
  );
  if (lead < 0 || axes.length === 0) {
    throw new TypeError(`internal: gradient ${describe(grad)} does not fit ${describe(like)}`);
  }
  const summed = g.op('ReduceSum', [grad], { axes });
  return summed.shape.join() === like.shape.join() ? summed : g.op('Reshape', [summed], { shape: like.shape });
}

/** The chain of ops behind a node, for messages. */
function path(node: Node): string {
  const names: string[] = [];
  for (let at: Node | undefined = node; at && names.length < 6; ) {
    names.push(at.op);
    const source: Value['source'] | undefined = at.inputs[0]?.source;
    at = source?.kind === 'node' ? source.node : undefined;
  }
  return names.join(' <- ');
}
