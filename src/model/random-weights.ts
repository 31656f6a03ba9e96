/** Random weights of any size, for measurements of time and memory: what they are worth does not count, only how many there are. */

import { randomStream } from '../foundation/random.ts';
import type { ModelConfig, ModelWeights } from './config.ts';
import { EMBEDDING, hubWeightShapes } from './hub-weights.ts';

/** So many numbers are drawn and then repeated: a table of 300 million would take a minute to draw. A prime, so that rows differ. */
const DRAWN = 65_521;

/**
 * Weights of the config's shapes: linears by 1/sqrt(inputs), norms of 1 (their offset taken off), biases of 0. A tensor is made
 * each time its `data` is read and is not kept, so that who takes one after the other holds no more than what comes of them.
 */
export function randomWeights(config: ModelConfig, seed = 0): ModelWeights {
  const random = randomStream(seed, 'random-weights');
  const drawn = Float32Array.from({ length: DRAWN }, () => Math.sqrt(3) * (2 * random.uniform() - 1));
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const [name, shape] of hubWeightShapes(config)) {
    const size = shape.reduce((product, length) => product * length, 1);
    const inputs = name === EMBEDDING ? config.hiddenSize : shape[1];
    tensors.set(name, {
      shape,
      get data() {
        if (inputs === undefined)
          return new Float32Array(size).fill(name.endsWith('.bias') ? 0 : 1 - config.normOffset);
        return repeated(drawn, 1 / Math.sqrt(inputs), size);
      },
    });
  }
  return { config, tensors };
}

function repeated(drawn: Float32Array, deviation: number, size: number): Float32Array {
  const values = new Float32Array(size);
  const first = drawn.map((value) => deviation * value).subarray(0, size);
  values.set(first);
  for (let filled = first.length; filled < size; filled *= 2)
    values.copyWithin(filled, 0, Math.min(filled, size - filled));
  return values;
}
