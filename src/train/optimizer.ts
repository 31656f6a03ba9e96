/** AdamW (arXiv 1711.05101) over named parameters, in place. */

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled: parameters shrink by learningRate * weightDecay a step. */
  readonly weightDecay: number;
}

export const ADAMW_DEFAULTS: AdamWSettings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

export interface Moments {
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/**
 * One step of one tensor; `step` counts from 1.
 *   m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2
 *   w = w (1 - lr wd) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
 *
 * @param units where the parameter is held as u w: what moves it is u times the step of w, whose gradient is given
 */
export function adamwStep(
  parameter: Float32Array,
  gradient: ArrayLike<number>,
  { m, v }: Moments,
  step: number,
  learningRate: number,
  settings: AdamWSettings,
  units?: ArrayLike<number>,
): void {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const correction1 = 1 - beta1 ** step;
  const correction2 = Math.sqrt(1 - beta2 ** step);
  const shrink = 1 - learningRate * weightDecay;
  const rate = learningRate / correction1;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i]!;
    const first = beta1 * m[i]! + (1 - beta1) * g;
    const second = beta2 * v[i]! + (1 - beta2) * g * g;
    m[i] = first;
    v[i] = second;
    const change = (rate * first) / (Math.sqrt(second) / correction2 + epsilon);
    parameter[i] = parameter[i]! * shrink - (units === undefined ? change : units[i]! * change);
  }
}

/** Euclidean norm over all gradients together. */
export function globalNorm(gradients: Iterable<ArrayLike<number>>): number {
  let sum = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) sum += gradient[i]! ** 2;
  return Math.sqrt(sum);
}
