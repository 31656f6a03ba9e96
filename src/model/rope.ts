/** Frequencies of the rotary position embedding (arXiv 2104.09864), and how models stretch them to longer contexts. */

/** Positions are divided by `factor`; `llama3` (Llama 3.1) leaves short waves alone and blends those in between. */
export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      /** Tokens of the context the model was first trained on. */
      readonly originalMaxPositions: number;
    };

export interface Rope {
  readonly theta: number;
  readonly scaling: RopeScaling | undefined;
}

/**
 * Radians a token of each pair of dimensions:
 *   f_i = theta^(-2 i / d), i < d / 2; linear: f_i / factor;
 *   llama3: f_i (s + (1 - s) / factor), s = clamp((context f_i / 2 pi - low) / (high - low), 0, 1).
 */
export function ropeFrequencies({ theta, scaling }: Rope, headDim: number): number[] {
  return Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = theta ** ((-2 * i) / headDim);
    if (!scaling) return frequency;
    if (scaling.type === 'linear') return frequency / scaling.factor;
    const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling;
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return frequency * (kept + (1 - kept) / factor);
  });
}
