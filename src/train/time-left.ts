/** How long a training takes, from the speed of steps that were made. */

/** Steps that were made. */
export interface MeasuredSteps {
  seconds: number;
  /** Of these, building graphs and sessions: paid once. */
  buildSeconds: number;
  /** Data-set tokens of the steps. */
  tokens: number;
}

/** What a training has yet to do. */
export interface TrainingAhead {
  /** Data-set tokens of its steps. */
  tokens: number;
  evaluations: number;
  /** Data-set tokens of one dev loss. */
  devTokens: number;
}

/** A dev loss goes forward alone; going backward costs about twice as much as going forward. */
const FORWARD_SHARE = 1 / 3;

/** Seconds of steps a data-set token. */
export function secondsPerToken({ seconds, buildSeconds, tokens }: MeasuredSteps): number {
  return (seconds - buildSeconds) / tokens;
}

/**
 * Seconds the rest takes, time going with tokens.
 *
 * @param perToken seconds of steps a token
 * @param evaluationSeconds of one dev loss, where it was measured
 */
export function secondsAhead(
  { tokens, evaluations, devTokens }: TrainingAhead,
  perToken: number,
  evaluationSeconds = FORWARD_SHARE * devTokens * perToken,
): number {
  return tokens * perToken + evaluations * evaluationSeconds;
}
