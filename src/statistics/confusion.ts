/** Confusion matrices of 1..5 scores, kept a document apart so that documents can be drawn as a whole. */

/** The judge's scale. */
export const LEVELS = 5;

/** Adds the pair of scores (1..5) to the row-by-row matrix of `docId`: row = first rater, column = second. */
export function addTo(documents: Map<string, Float64Array>, docId: string, first: number, second: number): void {
  for (const score of [first, second])
    if (!Number.isInteger(score) || score < 1 || score > LEVELS) throw new RangeError(`A score is 1..5, got ${score}`);
  const matrix = documents.get(docId) ?? new Float64Array(LEVELS * LEVELS);
  documents.set(docId, matrix);
  matrix[(first - 1) * LEVELS + second - 1]! += 1;
}
