/** What a judge's tokens say beside the one it wrote: how its weight lay on the scores 1 to 5. */

/** A place in a response where the model wrote a digit from 1 to 5, with the tokens it weighed there. */
export interface DigitToken {
  /** Characters of the response before the digit. */
  at: number;
  /** Tokens with their log-probabilities, as the server lists them. */
  top: [token: string, logprob: number][];
}

/** Of all weight at a place, the share that must lie on scores: less says that the judge was writing something else. */
const LEAST_SHARE = 0.5;
/** The score as key of an object, or alone. */
const SCORE = /"score"\s*:\s*"?([1-5])|^\s*([1-5])(?:\s*\/\s*5)?\s*$/dgi;

/**
 * Shares of the scores 1 to 5 `[5]` at the digit that is the response's score:
 *
 *   share_k = sum of exp(logprob) over the tokens that read k, divided by the sum over all five
 *
 * Undefined where the server gave no tokens there, or the weight lay on other tokens.
 */
export function scoreDistribution(response: string, digits: readonly DigitToken[] | undefined): number[] | undefined {
  if (digits === undefined || digits.length === 0) return undefined;
  // The last one: a judge that thinks aloud may name scores before it gives one.
  const indices = [...response.matchAll(SCORE)].at(-1)?.indices;
  const at = (indices?.[1] ?? indices?.[2])?.[0];
  const found = digits.find((digit) => digit.at === at);
  if (found === undefined) return undefined;
  const weights = [0, 0, 0, 0, 0];
  for (const [token, logprob] of found.top) {
    const level = /^\W*([1-5])\W*$/.exec(token)?.[1];
    if (level !== undefined) weights[Number(level) - 1]! += Math.exp(logprob);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total < LEAST_SHARE ? undefined : weights.map((weight) => weight / total);
}

/** The mean of a distribution over 1..5. */
export function expectedScore(distribution: readonly number[]): number {
  return distribution.reduce((sum, share, i) => sum + share * (i + 1), 0);
}
