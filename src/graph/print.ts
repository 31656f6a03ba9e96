/** A graph as text, one node a line: `%7 f32[4,64] = MatMul(%3, w.q)`. */

import { describe, reachableNodes, type Value } from './graph.ts';

/** Prints the nodes that `outputs` need; values in `given` count as inputs and print under the given name. */
export function printGraph(
  outputs: Readonly<Record<string, Value>>,
  given: Readonly<Record<string, Value>> = {},
): string {
  const names = new Map<Value, string>(Object.entries(given).map(([name, value]) => [value, name]));
  let next = 0;
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const { source } = value;
    if (source.kind === 'input') return source.name;
    if (source.kind === 'constant')
      return value.shape.length === 0 ? String(source.tensor.data[0]) : `const${describe(value)}`;
    const name = `%${next++}`;
    names.set(value, name);
    return name;
  };
  const lines = reachableNodes(Object.values(outputs), new Set(Object.values(given))).map((node) => {
    const inputs = node.inputs.map(nameOf).join(', ');
    const attributes = Object.keys(node.attributes).length === 0 ? '' : ` ${JSON.stringify(node.attributes)}`;
    return `${node.outputs.map((o) => `${nameOf(o)} ${describe(o)}`).join(', ')} = ${node.op}(${inputs})${attributes}`;
  });
  return [...lines, ...Object.entries(outputs).map(([name, value]) => `${name} <- ${nameOf(value)}`)].join('\n');
}
