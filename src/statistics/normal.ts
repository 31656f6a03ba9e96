/** The standard normal distribution: probability and quantile. */

/**
 * P(Z <= x), to about 1e-15.
 *
 *   |x| < 3: Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + x^7/(3 5 7) + ...)      (Marsaglia 2004, eq. 1)
 *   beyond:  1 - Phi(x) = phi(x) / (x + 1/(x + 2/(x + 3/(x + ...))))                 (Laplace's continued fraction)
 */
export function normalCdf(x: number): number {
  if (Math.abs(x) >= SERIES_LIMIT) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / (Math.abs(x) + fraction);
    const tail = density(x) / (Math.abs(x) + fraction);
    return x > 0 ? 1 - tail : tail;
  }
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && k < 400; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + density(x) * sum;
}

/** Far below 0 the series would be a small difference of nearly equal numbers. */
const SERIES_LIMIT = 3;

const density = (x: number) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/**
 * The x with P(Z <= x) = p; infinite at 0 and 1. A rational start (Abramowitz and Stegun 26.2.23, error 4.5e-4) and
 * Halley steps x <- x - u / (1 + x u / 2), u = (Phi(x) - p) / phi(x).
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`A probability lies in 0..1, got ${p}`);
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  let x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (let step = 0; step < 3; step++) {
    const u = (normalCdf(x) - p) / density(x);
    x -= u / (1 + (x * u) / 2);
  }
  return x;
}
