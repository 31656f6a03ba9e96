/**
 * Signs of model collapse in the losses of two checkpoints on the same text, token by token (arXiv 2502.04235): the mean loss
 * of a text may look healthy while stretches of it are not predicted any more.
 */

export interface AnomalyOptions {
  /** Standard deviations above the mean from which on a window is an anomaly. The paper does not give it; 2 by default. */
  readonly k?: number;
  /** Whether the window at p ends there or begins there. The paper does not say; it ends there by default. */
  readonly window?: WindowDirection;
}

export type WindowDirection = 'trailing' | 'leading';

export const ANOMALY_DEFAULTS = { k: 2, window: 'trailing' } as const satisfies Required<AnomalyOptions>;

/** Share of a text that a window covers. */
export const WINDOW_SHARE = 0.05;

/** Losses are float32: two windows that differ by less, in nats, do not differ. */
const ROUNDING = 1e-6;

/** lossdiff_i = loss of the synthetic-trained model - loss of the real-trained one, nats. @throws RangeError where lengths differ */
export function lossDifferences(synthetic: ArrayLike<number>, real: ArrayLike<number>): Float64Array {
  if (synthetic.length !== real.length) {
    throw new RangeError(`losses of the same tokens are needed, not ${synthetic.length} beside ${real.length}`);
  }
  return Float64Array.from(synthetic, (loss, i) => loss - real[i]!);
}

/** Tokens of a window over `length` tokens: max(5%, 1), rounded down to whole ones. */
export function windowTokens(length: number): number {
  return Math.max(1, Math.floor(WINDOW_SHARE * length));
}

/**
 * The mean over each full window of `width` values; entry j covers values j to j + width - 1.
 *
 * Sums begin anew at each window, so that a long sequence gathers no rounding errors.
 */
export function windowMeans(values: ArrayLike<number>, width: number): Float64Array {
  return Float64Array.from({ length: Math.max(0, values.length - width + 1) }, (_, start) => {
    let sum = 0;
    for (let i = start; i < start + width; i++) sum += values[i]!;
    return sum / width;
  });
}

/** |mean| + k * std of the values (std over all of them, not a sample's). */
export function anomalyThreshold(values: ArrayLike<number>, k: number): number {
  const { mean, std } = meanAndStd(values);
  return Math.abs(mean) + k * std;
}

/**
 * The first position p at which the mean over a window of max(5% of the length, 1) tokens exceeds |mean| + k * std of the whole
 * sequence, as a share of the length (0 <= p < 1); -1 if there is none. Only full windows count.
 */
export function firstAnomalyPosition(differences: ArrayLike<number>, options: AnomalyOptions = {}): number {
  const { k, window } = { ...ANOMALY_DEFAULTS, ...options };
  const { length } = differences;
  const width = windowTokens(length);
  const threshold = anomalyThreshold(differences, k);
  const start = windowMeans(differences, width).findIndex((mean) => mean - threshold > ROUNDING);
  if (start < 0) return -1;
  return (window === 'trailing' ? start + width - 1 : start) / length;
}

/** How many positions (0..1) fall into each of `bins` equal parts, and how many are -1: no anomaly. */
export function positionHistogram(positions: readonly number[], bins: number): { counts: number[]; none: number } {
  const counts = new Array<number>(bins).fill(0);
  let none = 0;
  for (const position of positions) {
    if (position < 0) none++;
    else counts[Math.min(bins - 1, Math.floor(position * bins))]!++;
  }
  return { counts, none };
}

/** Sums and numbers of a sequence's values in `bins` equal parts of its length; a short one leaves parts empty. */
export function sumsByPosition(values: ArrayLike<number>, bins: number): { sum: number; count: number }[] {
  const parts = Array.from({ length: bins }, () => ({ sum: 0, count: 0 }));
  for (let i = 0; i < values.length; i++) {
    const part = parts[Math.floor((i * bins) / values.length)]!;
    part.sum += values[i]!;
    part.count++;
  }
  return parts;
}

/** Mean and standard deviation (divided by n); both 0 of no values. */
export function meanAndStd(values: ArrayLike<number>): { mean: number; std: number } {
  const { length } = values;
  if (length === 0) return { mean: 0, std: 0 };
  let sum = 0;
  for (let i = 0; i < length; i++) sum += values[i]!;
  const mean = sum / length;
  let squares = 0;
  for (let i = 0; i < length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, std: Math.sqrt(squares / length) };
}
