/** Logistic regression on one feature: from a score to a probability. */

export interface LogisticPoint {
  x: number;
  /** Whether it happened. */
  y: boolean;
  weight: number;
}

/** p(x) = 1 / (1 + exp(-(intercept + slope x))) */
export interface Logistic {
  intercept: number;
  slope: number;
}

/** Newton's method doubles the digits of each round; what is left then is rounding. */
const ROUNDS = 60;
const CONVERGED = 1e-10;
/** Keeps the Hessian's inverse finite where all x are alike. */
const RIDGE = 1e-9;

/**
 * Calibration by Platt (1999), maximum likelihood with his smoothed targets, (n1 + 1) / (n1 + 2) for what happened and 1 / (n0 + 2) for what did not, so that
 * few or separable points never give certainty. Newton's method with step halving (Lin, Lin and Weng 2007). n1 and n0 are sums of weights.
 *
 * A feature that points the wrong way round tells nothing: its slope is 0 and p the smoothed share.
 */
export function fitLogistic(points: readonly LogisticPoint[]): Logistic {
  const total = (y: boolean) => points.reduce((sum, point) => sum + (point.y === y ? point.weight : 0), 0);
  const [happened, not] = [total(true), total(false)];
  const [high, low] = [(happened + 1) / (happened + 2), 1 / (not + 2)];
  const rows = points.map(({ x, y, weight }) => ({ x, weight, target: y ? high : low }));
  const share = (high * happened + low * not) / (happened + not);
  const flat = { intercept: points.length === 0 ? 0 : Math.log(share / (1 - share)), slope: 0 };
  let fit = flat;
  let loss = lossOf(rows, fit);
  for (let round = 0; round < ROUNDS; round++) {
    const step = newtonStep(rows, fit);
    if (Math.abs(step.intercept) + Math.abs(step.slope) < CONVERGED) break;
    let [length, next, better] = [1, moved(fit, step, 1), Number.POSITIVE_INFINITY];
    for (better = lossOf(rows, next); better > loss && length > CONVERGED; better = lossOf(rows, next)) {
      length /= 2;
      next = moved(fit, step, length);
    }
    if (better > loss) break;
    [fit, loss] = [next, better];
  }
  return fit.slope > 0 ? fit : flat;
}

export function logisticAt({ intercept, slope }: Logistic, x: number): number {
  return 1 / (1 + Math.exp(-(intercept + slope * x)));
}

interface Row {
  x: number;
  weight: number;
  target: number;
}

const moved = (fit: Logistic, step: Logistic, length: number): Logistic => ({
  intercept: fit.intercept + length * step.intercept,
  slope: fit.slope + length * step.slope,
});

/** -sum w (t log p + (1 - t) log(1 - p)) = sum w (log(1 + e^z) - t z), without overflow. */
function lossOf(rows: readonly Row[], fit: Logistic): number {
  return rows.reduce((sum, { x, weight, target }) => {
    const z = fit.intercept + fit.slope * x;
    return sum + weight * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target * z);
  }, 0);
}

function newtonStep(rows: readonly Row[], fit: Logistic): Logistic {
  let [g0, g1, h00, h01, h11] = [0, 0, RIDGE, 0, RIDGE];
  for (const { x, weight, target } of rows) {
    const p = logisticAt(fit, x);
    const [slope, curve] = [weight * (p - target), weight * p * (1 - p)];
    g0 += slope;
    g1 += slope * x;
    h00 += curve;
    h01 += curve * x;
    h11 += curve * x * x;
  }
  const determinant = h00 * h11 - h01 * h01;
  return { intercept: (h01 * g1 - h11 * g0) / determinant, slope: (h01 * g0 - h00 * g1) / determinant };
}
