/** Turns an adapter that stands beside the weights into a part of them. */

import { type Adapter, adapterScale } from './adapter.ts';
import { LINEAR_NAMES, type ModelWeights } from './config.ts';
import { linearGroups } from './decoder-layer.ts';

/** W + scale (A B)^T for every adapted linear, as new f32 weights `[outputs, inputs]`; the others are shared, not copied. */
export function mergeAdapter(weights: ModelWeights, adapter: Adapter): ModelWeights {
  const tensors = new Map(weights.tensors);
  const scale = adapterScale(adapter);
  const { rank } = adapter;
  for (const [layer, parameters] of adapter.layers.entries()) {
    for (const group of Object.values(linearGroups(weights.config))) {
      const a = parameters[`${group.name}.A`]!.data as Float32Array;
      const width = rank * group.parts.length;
      for (const [index, part] of group.parts.entries()) {
        const name = `model.layers.${layer}.${LINEAR_NAMES[part.name]}.weight`;
        const base = weights.tensors.get(name)!;
        const b = parameters[`${group.name}.B.${part.name}`]!.data as Float32Array;
        const merged = new Float32Array(base.data);
        for (let input = 0; input < group.inputs; input++) {
          for (let r = 0; r < rank; r++) {
            const left = scale * a[input * width + index * rank + r]!;
            if (left === 0) continue;
            for (let output = 0; output < part.outputs; output++) {
              merged[output * group.inputs + input]! += left * b[r * part.outputs + output]!;
            }
          }
        }
        tensors.set(name, { shape: base.shape, data: merged });
      }
    }
  }
  return { config: weights.config, tensors };
}
