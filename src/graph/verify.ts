/** Re-infers every node's types: catches a pass or a derivative that built something inconsistent. */

import { describe, infer, reachableNodes, type Value } from './graph.ts';

/** @throws TypeError naming the first node whose stored output types are not those its inputs give */
export function verifyGraph(outputs: readonly Value[], given: ReadonlySet<Value> = new Set()): void {
  for (const node of reachableNodes(outputs, given)) {
    const types = infer(node.op, node.inputs, node.attributes).map(describe).join();
    const stored = node.outputs.map(describe).join();
    if (types !== stored) throw new TypeError(`internal: ${node.op} stored ${stored}, but its inputs give ${types}`);
  }
}
