/** Holm's adjustment for several comparisons. */

/** Adjusted p values in the order given: the i-th smallest of m becomes max over j <= i of min(1, (m - j + 1) p_j) (Holm 1979). */
export function holm(values: readonly number[]): number[] {
  const order = values.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(values.length);
  let largest = 0;
  for (const [rank, { p, index }] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * p));
    adjusted[index] = largest;
  }
  return adjusted;
}
