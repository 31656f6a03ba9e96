/** A line chart in braille characters: each holds 2 x 4 dots (Unicode block 2800). */

/** Bit of the dot at (column 0..1, row 0..3 from the top) inside a character. */
const DOT_BITS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

export interface CurvePoint {
  x: number;
  y: number;
}

export interface CurveArea {
  /** Characters. */
  width: number;
  height: number;
  /** The x axis goes from 0 to here. */
  xMax: number;
}

/** The curve through `points` (ascending x), from its lowest to its highest value, as `height` lines of `width` characters. */
export function brailleCurve(points: readonly CurvePoint[], { width, height, xMax }: CurveArea): string[] {
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0));
  const columns = columnMeans(points, width * 2, xMax);
  const known = columns.filter((value) => value !== undefined);
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const rows = height * 4;
  let previous: number | undefined;
  columns.forEach((value, column) => {
    if (value === undefined) return;
    const row = Math.round((1 - (value - low) / span) * (rows - 1));
    // Steep parts stay connected: fill from the neighbour's row to this one.
    const step = previous === undefined || previous === row ? 0 : Math.sign(row - previous);
    for (let r = previous === undefined ? row : previous + step; ; r += step) {
      const line = cells[r >> 2]!;
      line[column >> 1] = line[column >> 1]! | DOT_BITS[(column & 1) as 0 | 1][(r & 3) as 0 | 1 | 2 | 3];
      if (r === row) break;
    }
    previous = row;
  });
  return cells.map((line) => line.map((bits) => String.fromCodePoint(0x2800 + bits)).join(''));
}

/** Mean y of the points in each column; columns between two points are interpolated, those outside undefined. */
function columnMeans(points: readonly CurvePoint[], columns: number, xMax: number): (number | undefined)[] {
  const sums = new Float64Array(columns);
  const counts = new Uint32Array(columns);
  for (const { x, y } of points) {
    const column = Math.min(columns - 1, Math.max(0, Math.floor((x / (xMax || 1)) * columns)));
    sums[column]! += y;
    counts[column]! += 1;
  }
  const means: (number | undefined)[] = Array.from(sums, (sum, i) => (counts[i] ? sum / counts[i] : undefined));
  let last = -1;
  for (let i = 0; i < columns; i++) {
    const value = means[i];
    if (value === undefined) continue;
    const from = means[last];
    if (last >= 0 && from !== undefined) {
      for (let k = last + 1; k < i; k++) means[k] = from + ((value - from) * (k - last)) / (i - last);
    }
    last = i;
  }
  return means;
}
