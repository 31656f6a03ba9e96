/** The next token from logits: repetition penalty, temperature, top-p, in the order of transformers' generate(). */

import { UserError } from '../foundation/errors.ts';
import type { RandomStream } from '../foundation/random.ts';
import type { GenerationSettings } from '../recipe/schema.ts';

export type SamplingSettings = Pick<GenerationSettings, 'temperature' | 'topP' | 'repetitionPenalty'>;

/** Tokens less likely than e^-24 of the likeliest count as impossible: even 50,000 of them stay below 2e-6 of it. */
const LEAST_LOG_RATIO = -24;
/** The likely tokens are looked for among those above a share of the likeliest, which falls by this factor. */
const SHARE_STEP = 1 / 16;

/**
 * Draws the next token; at temperature 0 it is the likeliest (the first of equals).
 *
 * @param logits of the whole vocabulary; overwritten
 * @param seen tokens of the prompt and of what was generated, each once
 * @throws UserError where the logits are not numbers
 */
export function sampleToken(
  logits: Float32Array,
  seen: Iterable<number>,
  { temperature, topP, repetitionPenalty }: SamplingSettings,
  random: RandomStream,
): number {
  if (Number.isNaN(logits[0])) {
    throw new UserError(
      "Cannot generate: the model's logits are not numbers",
      'Its training probably diverged: look at the losses, and train again with a lower learning rate',
    );
  }
  penalizeRepetition(logits, seen, repetitionPenalty);
  if (temperature === 0) return likeliest(logits);
  const { tokens, weights, total } = candidates(logits, temperature);
  const mass = topP < 1 ? keepNucleus(weights, topP * total) : total;
  let rest = random.uniform() * mass;
  let last = tokens[0]!;
  for (let i = 0; i < tokens.length; i++) {
    if (weights[i] === 0) continue;
    rest -= weights[i]!;
    if (rest < 0) return tokens[i]!;
    last = tokens[i]!;
  }
  // Rounding may leave a little of the mass.
  return last;
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

/** The tokens that count as possible, in the vocabulary's order. */
export interface Candidates {
  readonly tokens: Int32Array;
  /** e^((z - max) / temperature): probabilities relative to the likeliest. */
  readonly weights: Float32Array;
  /** Sum of the weights. */
  readonly total: number;
}

/** Candidates are written here: memory of this size, fresh for each token, would take as long as a pass over the logits. */
let scratch = { tokens: new Int32Array(0), weights: new Float32Array(0) };

/** What could be drawn at a temperature, until the next call. At low ones it is few of the vocabulary, and all that follows looks at them alone. */
export function candidates(logits: Float32Array, temperature: number): Candidates {
  const top = logits[likeliest(logits)]!;
  const lowest = top + LEAST_LOG_RATIO * temperature;
  if (scratch.tokens.length < logits.length) {
    scratch = { tokens: new Int32Array(logits.length), weights: new Float32Array(logits.length) };
  }
  const { tokens, weights } = scratch;
  let total = 0;
  let count = 0;
  for (let token = 0; token < logits.length; token++) {
    const z = logits[token]!;
    if (z < lowest) continue;
    tokens[count] = token;
    weights[count] = Math.exp((z - top) / temperature);
    total += weights[count++]!;
  }
  return { tokens: tokens.subarray(0, count), weights: weights.subarray(0, count), total };
}

/**
 * Nucleus sampling (arXiv 1904.09751): keeps the fewest tokens whose weights sum to `wanted` or more, the heaviest first,
 * of equals the earlier; the other weights become 0. Returns the sum of what is kept.
 */
export function keepNucleus(weights: Float32Array, wanted: number): number {
  const heaviest = heaviestFirst(weights, wanted);
  let mass = 0;
  let count = 0;
  while (count < heaviest.length && mass < wanted) mass += heaviest[count++]!;
  const least = heaviest[count - 1]!;
  let equals = count - heaviest.indexOf(least);
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token]!;
    if (weight < least || (weight === least && equals-- <= 0)) weights[token] = 0;
  }
  return mass;
}

/** The largest weights in falling order, as many as `wanted` takes or more: sorting all would cost most of the time. */
function heaviestFirst(weights: Float32Array, wanted: number): Float32Array {
  for (let least = SHARE_STEP; ; least *= SHARE_STEP) {
    let mass = 0;
    let count = 0;
    for (let token = 0; token < weights.length; token++) {
      if (weights[token]! < least) continue;
      mass += weights[token]!;
      count++;
    }
    if (mass < wanted && least > 0) continue;
    const found = new Float32Array(count);
    let next = 0;
    for (let token = 0; token < weights.length; token++) {
      if (weights[token]! >= least) found[next++] = weights[token]!;
    }
    return found.sort().reverse();
  }
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  let top = logits[0]!;
  for (let token = 1; token < logits.length; token++) {
    if (logits[token]! > top) {
      top = logits[token]!;
      best = token;
    }
  }
  return best;
}
