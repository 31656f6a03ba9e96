/** LoRA adapters (arXiv 2106.09685): their parameters by layer and graph input, and how they start. */

import { randomStream } from '../foundation/random.ts';
import type { Tensor } from '../graph/value.ts';
import type { ModelConfig } from './config.ts';
import { linearGroups } from './decoder-layer.ts';
import { loraShapes } from './linear.ts';

export interface Adapter {
  readonly rank: number;
  readonly alpha: number;
  /** Per layer, by graph input: `<group>.A` `[inputs, rank * parts]`, `<group>.B.<linear>` `[rank, outputs]`. */
  readonly layers: readonly Record<string, Tensor>[];
}

/** y gains scale (x A) B with scale = alpha / rank. */
export const adapterScale = ({ rank, alpha }: { rank: number; alpha: number }): number => alpha / rank;

/** A fresh adapter: A uniform in +-1/sqrt(inputs) (PEFT's Kaiming start with a = sqrt 5), B zero, so that it changes nothing. */
export function createAdapter(config: ModelConfig, settings: { rank: number; alpha: number }, seed: number): Adapter {
  const groups = Object.values(linearGroups(config));
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const tensors: Record<string, Tensor> = {};
    for (const group of groups) {
      const random = randomStream(seed, 'lora', layer, group.name);
      const bound = 1 / Math.sqrt(group.inputs);
      for (const [name, shape] of Object.entries(loraShapes(group, settings.rank))) {
        const data = new Float32Array(shape[0]! * shape[1]!);
        if (name.endsWith('.A')) for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * bound;
        tensors[name] = { dtype: 'float32', shape, data };
      }
    }
    return tensors;
  });
  return { ...settings, layers };
}

/** Trainable parameters of an adapter. */
export function adapterSize(adapter: Adapter): number {
  return adapter.layers.reduce((n, layer) => Object.values(layer).reduce((m, { data }) => m + data.length, n), 0);
}
