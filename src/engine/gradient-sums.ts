/** Sums of parameters' gradients, and the places where graphs write the next parts of them. */

import type { Tensor } from '../graph/value.ts';
import { addTo, type Floats, toTensor, zeros } from './floats.ts';

export interface GradientSums {
  /** Graph outputs (`grad.<parameter>`) to be written over in every run. */
  readonly places: Readonly<Record<string, Tensor>>;
  /** Adds what a run wrote. */
  add(outputs: Readonly<Record<string, Tensor>>): void;
}

/**
 * Sums into `sums`; layers of one model can share `scratch`, in which places are made where they are missing.
 *
 * @param parameters of which `sums` are the gradients, for their shapes
 */
export function gradientSums(
  sums: Readonly<Record<string, Floats>>,
  parameters: Readonly<Record<string, Tensor>>,
  scratch: Map<string, Tensor>,
): GradientSums {
  const names = Object.keys(sums);
  for (const name of names) {
    if (scratch.has(name)) continue;
    const sum = sums[name]!;
    const data = zeros(sum instanceof Float64Array ? 'float64' : 'float32', sum.length);
    scratch.set(name, toTensor(data, parameters[name]!.shape));
  }
  return {
    places: Object.fromEntries(names.map((name) => [`grad.${name}`, scratch.get(name)!])),
    add(outputs) {
      for (const name of names) {
        const part = outputs[`grad.${name}`];
        if (part) addTo(sums[name]!, 0, part.data as Floats, 0, sums[name]!.length);
      }
    },
  };
}
