/** Plain tables for the terminal: the first column to the left, numbers to the right. */

/** Rows under a header, two spaces between columns. Columns listed in `left` (by index) are text. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], left = [0]): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
