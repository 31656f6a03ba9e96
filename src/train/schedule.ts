/** Learning rates by step. */

/**
 * Linear warm-up, then half a cosine to zero (arXiv 1608.03983), as Hugging Face's `cosine` schedule, but for the warm-up's
 * first step: theirs has rate 0 and changes nothing, ours is one ahead and reaches the peak at the warm-up's last.
 *
 * @param step from 1 to steps
 * @param warmup share of the steps spent warming up
 */
export function cosineWithWarmup(step: number, steps: number, warmup: number, peak: number): number {
  const warm = Math.ceil(steps * warmup);
  if (step <= warm) return (peak * step) / warm;
  const progress = (step - 1 - warm) / Math.max(1, steps - warm);
  return peak * 0.5 * (1 + Math.cos(Math.PI * progress));
}
