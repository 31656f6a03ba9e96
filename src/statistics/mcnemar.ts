/** McNemar's exact test. It takes items as independent, which items of one document are not: printed for comparison, never decided by. */

/**
 * Two-sided p of b against c discordant pairs: 2 P(X <= min(b, c)), X ~ Binomial(b + c, 1/2), at most 1 (McNemar 1947; exact form Fagerland, Lydersen and Laake 2013).
 */
export function mcnemarExact(b: number, c: number): number {
  const n = b + c;
  if (n === 0) return 1;
  // log of C(n, i) / 2^n by recurrence, so that thousands of pairs do not underflow.
  let logTerm = -n * Math.LN2;
  let p = 0;
  for (let i = 0; i <= Math.min(b, c); i++) {
    p += Math.exp(logTerm);
    logTerm += Math.log((n - i) / (i + 1));
  }
  return Math.min(1, 2 * p);
}
