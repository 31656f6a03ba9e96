/** Multiplications and additions a LoRA step needs, whatever way it is computed: nothing counted twice, no padding. */

import type { ModelConfig } from '../../src/model/config.ts';
import { linearGroups } from '../../src/model/decoder-layer.ts';
import { loraShapes, outputsOf } from '../../src/model/linear.ts';

/** A frozen product goes forward and gives dX. */
const FROZEN = 2;
/** A trained one gives its own gradient, too. */
const TRAINED = 3;
/** Attention has two products forward; backward gives dV, dP, dQ and dK (the scores again are recomputation). */
const ATTENTION = 6;

/** Of one sample on its own, all layers seeing every token before. @param labels tokens that are scored */
export function loraStepFlops(config: ModelConfig, tokens: number, labels: number, rank: number): number {
  const { layers, heads, headDim, hiddenSize, vocabSize } = config;
  let perToken = 0;
  for (const group of Object.values(linearGroups(config))) {
    perToken += FROZEN * 2 * outputsOf(group) * group.inputs;
    for (const [rows, columns] of Object.values(loraShapes(group, rank)) as [number, number][]) {
      perToken += TRAINED * 2 * rows * columns;
    }
  }
  const pairs = (tokens * (tokens + 1)) / 2;
  const attention = ATTENTION * 2 * pairs * heads * headDim;
  return layers * (tokens * perToken + attention) + FROZEN * 2 * labels * vocabSize * hiddenSize;
}
