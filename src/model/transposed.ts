/** Transposing weights. */

/** Rows and columns go through the caches in squares. */
const SQUARE = 32;

/** `[rows, columns]` -> `[columns, rows]`. */
export function transposed<T extends Float32Array | Int8Array>(data: T, rows: number, columns: number): T {
  const out = data.slice() as T;
  for (let top = 0; top < rows; top += SQUARE) {
    for (let left = 0; left < columns; left += SQUARE) {
      const bottom = Math.min(rows, top + SQUARE);
      const right = Math.min(columns, left + SQUARE);
      for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) out[j * rows + i] = data[i * columns + j]!;
    }
  }
  return out;
}
