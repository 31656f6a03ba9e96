/** Sums of parameters' gradients over the runs of graphs. */

import type { Tensor } from '../graph/value.ts';
import { addTo, type Floats } from './floats.ts';

/** Adds a run's outputs `grad.<parameter>` to the sums by parameter. */
export function addGradients(sums: Readonly<Record<string, Floats>>, outputs: Readonly<Record<string, Tensor>>): void {
  for (const [name, sum] of Object.entries(sums)) {
    const part = outputs[`grad.${name}`];
    if (part) addTo(sum, 0, part.data as Floats, 0, sum.length);
  }
}
