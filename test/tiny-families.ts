/** The tiny model of each family that tests and golden files share. */

import type { FamilyName } from '../src/model/config.ts';
import type { TinySettings } from '../src/model/tiny.ts';

/** Heads of a size of their own where the family has them, two layers (of Gemma 3 one slides), a window of 8 tokens. */
export const tinyFamily = (family: FamilyName) =>
  ({
    family,
    seed: 11,
    hiddenSize: 32,
    intermediateSize: 48,
    layers: 2,
    heads: 4,
    kvHeads: 2,
    tieEmbeddings: family !== 'qwen2',
    maxPositions: 256,
  }) satisfies TinySettings;
