/** Adapters, and their gradients, as PEFT names and stores them. */

import { LINEAR_NAMES, type LinearName, type ModelConfig } from '../src/model/config.ts';
import { linearGroups } from '../src/model/decoder-layer.ts';

type Tensors = Readonly<Record<string, ArrayLike<number>>>;

/** Every linear of every layer: its group and its place there. */
export function modulesOf(config: ModelConfig) {
  return Array.from({ length: config.layers }, (_, layer) =>
    Object.values(linearGroups(config)).flatMap((group) =>
      group.parts.map(({ name, outputs }, index) => ({ layer, group, index, name, outputs })),
    ),
  ).flat();
}

const peftName = (layer: number, name: LinearName, matrix: 'A' | 'B') =>
  `base_model.model.model.layers.${layer}.${LINEAR_NAMES[name]}.lora_${matrix}.weight`;

/** Ours (`[inputs, rank * parts]`, `[rank, outputs]`) as PEFT stores them: A `[rank, inputs]`, B `[outputs, rank]`. */
export function asPeft(config: ModelConfig, rank: number, layers: readonly Tensors[]) {
  const named = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const { layer, group, index, name, outputs } of modulesOf(config)) {
    const a = layers[layer]![`${group.name}.A`]!;
    const b = layers[layer]![`${group.name}.B.${name}`]!;
    const { inputs } = group;
    const width = rank * group.parts.length;
    named.set(peftName(layer, name, 'A'), {
      shape: [rank, inputs],
      data: Float32Array.from(
        { length: rank * inputs },
        (_, i) => a[(i % inputs) * width + index * rank + Math.floor(i / inputs)]!,
      ),
    });
    named.set(peftName(layer, name, 'B'), {
      shape: [outputs, rank],
      data: Float32Array.from({ length: outputs * rank }, (_, i) => b[(i % rank) * outputs + Math.floor(i / rank)]!),
    });
  }
  return named;
}

/** The numbers of an adapter's tensors by name. */
export const numbersOf = (layers: readonly Readonly<Record<string, { readonly data: unknown }>>[]) =>
  layers.map((tensors) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array])),
  );
