/** The next token from logits: repetition penalty, temperature, top-p, in the order of transformers' generate(). */

import type { RandomStream } from '../foundation/random.ts';
import type { GenerationSettings } from '../recipe/schema.ts';

export type SamplingSettings = Pick<GenerationSettings, 'temperature' | 'topP' | 'repetitionPenalty'>;

/** Tokens less likely than e^-24 of the likeliest do not count: even 50,000 of them together stay below 2e-6 of it. */
const LEAST_LOG_RATIO = -24;
/** The likely tokens are looked for among those above a share of the likeliest, which falls by this factor. */
const SHARE_STEP = 1 / 16;

export interface Candidate {
  readonly token: number;
  /** Relative to the likeliest token's, which is 1. */
  readonly weight: number;
}

/**
 * Draws the next token; at temperature 0 it is the likeliest (the first of equals).
 *
 * @param logits of the whole vocabulary; the penalty is applied in place
 * @param seen tokens of the prompt and of what was generated, each once
 */
export function sampleToken(
  logits: Float32Array,
  seen: Iterable<number>,
  { temperature, topP, repetitionPenalty }: SamplingSettings,
  random: RandomStream,
): number {
  penalizeRepetition(logits, seen, repetitionPenalty);
  if (temperature === 0) return likeliest(logits);
  const candidates = nucleus(logits, temperature, topP);
  let rest = random.uniform() * candidates.reduce((sum, { weight }) => sum + weight, 0);
  for (const { token, weight } of candidates) {
    rest -= weight;
    if (rest < 0) return token;
  }
  return candidates[candidates.length - 1]!.token;
}

/**
 * z becomes z / penalty where z > 0, and z * penalty where it is not, once for each token seen (arXiv 1909.05858). As in
 * transformers (RepetitionPenaltyLogitsProcessor), the prompt's tokens count among those seen.
 */
export function penalizeRepetition(logits: Float32Array, seen: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const token of seen) {
    const z = logits[token]!;
    logits[token] = z < 0 ? z * penalty : z / penalty;
  }
}

/**
 * The fewest tokens that together have probability `topP` or more, likeliest first (of equals the lower token first):
 * nucleus sampling (arXiv 1904.09751).
 */
export function nucleus(logits: Float32Array, temperature: number, topP: number): readonly Candidate[] {
  const top = logits[likeliest(logits)]!;
  const lowest = top + LEAST_LOG_RATIO * temperature;
  const all: Candidate[] = [];
  let total = 0;
  for (let token = 0; token < logits.length; token++) {
    if (logits[token]! < lowest) continue;
    const weight = Math.exp((logits[token]! - top) / temperature);
    all.push({ token, weight });
    total += weight;
  }
  const wanted = topP * total;
  // Only the likely ones are sorted: whatever lies above a weight comes before all that lies below it.
  for (let least = SHARE_STEP; ; least *= SHARE_STEP) {
    const likely = all.filter(({ weight }) => weight >= least);
    const mass = likely.reduce((sum, { weight }) => sum + weight, 0);
    if (mass < wanted && likely.length < all.length) continue;
    likely.sort((a, b) => b.weight - a.weight || a.token - b.token);
    let before = 0;
    let count = 0;
    while (count < likely.length && before < wanted) before += likely[count++]!.weight;
    return likely.slice(0, count);
  }
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token]! > logits[best]!) best = token;
  return best;
}
