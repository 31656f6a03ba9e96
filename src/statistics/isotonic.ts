/** Isotonic regression: the best fit that never falls as its input rises. */

export interface IsotonicPoint {
  x: number;
  y: number;
  weight: number;
}

/** Breakpoints of a rising function, in order of x: constant outside of them, linear between them. */
export interface Isotonic {
  x: number[];
  y: number[];
}

/**
 * Weighted least squares among non-decreasing functions, by pooling adjacent violators (Ayer et al. 1955; Barlow et al. 1972).
 * Points of one x count as their mean. Where scikit-learn's IsotonicRegression interpolates, so does this.
 *
 * @param shape `centred` draws each flat piece together at its mean x, so that the function rises between them (centred isotonic regression, Oron and
 * Flournoy 2017): flat pieces are an artefact of few points
 */
export function fitIsotonic(points: readonly IsotonicPoint[], shape: 'flat' | 'centred' = 'flat'): Isotonic {
  const blocks: { first: number; last: number; centre: number; mean: number; weight: number }[] = [];
  for (const { x, y, weight } of mergedByX(points)) {
    let block = { first: x, last: x, centre: x, mean: y, weight };
    for (let below = blocks.at(-1); below && below.mean >= block.mean; below = blocks.at(-1)) {
      blocks.pop();
      const total = below.weight + block.weight;
      const share = below.weight / total;
      block = {
        first: below.first,
        last: block.last,
        centre: share * below.centre + (1 - share) * block.centre,
        mean: share * below.mean + (1 - share) * block.mean,
        weight: total,
      };
    }
    blocks.push(block);
  }
  const fit: Isotonic = { x: [], y: [] };
  for (const { first, last, centre, mean } of blocks) {
    for (const x of shape === 'centred' ? [centre] : first === last ? [first] : [first, last]) {
      fit.x.push(x);
      fit.y.push(mean);
    }
  }
  return fit;
}

export function isotonicAt({ x, y }: Isotonic, at: number): number {
  const above = x.findIndex((value) => value >= at);
  if (above === 0) return y[0]!;
  if (above < 0) return y.at(-1)!;
  const share = (at - x[above - 1]!) / (x[above]! - x[above - 1]!);
  return y[above - 1]! + share * (y[above]! - y[above - 1]!);
}

function mergedByX(points: readonly IsotonicPoint[]): IsotonicPoint[] {
  const merged: IsotonicPoint[] = [];
  for (const { x, y, weight } of [...points].sort((a, b) => a.x - b.x)) {
    const last = merged.at(-1);
    if (last?.x !== x) {
      merged.push({ x, y, weight });
      continue;
    }
    const total = last.weight + weight;
    merged[merged.length - 1] = { x, y: (last.y * last.weight + y * weight) / total, weight: total };
  }
  return merged;
}
