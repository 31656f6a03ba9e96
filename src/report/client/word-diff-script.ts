/** Browser script: `wordDiff(before, after)`, the shortest word-level edit as a list of [mark, text], mark one of `=`, `-`, `+`. */

export const WORD_DIFF_SCRIPT = String.raw`
// The table of common subsequences has a cell for each pair of words; beyond this many, texts are shown unmarked.
const MAX_CELLS = 6e6;

function wordDiff(before, after) {
  const a = before.match(/\S+\s*|^\s+/g) || [];
  const b = after.match(/\S+\s*|^\s+/g) || [];
  const same = (i, j) => a[i].trim() === b[j].trim();
  let head = 0;
  while (head < a.length && head < b.length && same(head, head)) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && same(a.length - 1 - tail, b.length - 1 - tail)) tail++;
  const rows = a.length - head - tail;
  const columns = b.length - head - tail;
  if (rows * columns > MAX_CELLS) return [['=', after]];

  // length[i][j]: longest common subsequence of the words from a[head + i] and b[head + j] on.
  const width = columns + 1;
  const length = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--)
      length[i * width + j] = same(head + i, head + j)
        ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);

  // Removed words are put on one line: their paragraphs are not the text's.
  const edits = [];
  const add = (mark, text) => {
    const last = edits[edits.length - 1];
    if (last && last[0] === mark) last[1] += text;
    else edits.push([mark, text]);
  };
  b.slice(0, head).forEach((word) => add('=', word));
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && same(head + i, head + j)) { add('=', b[head + j]); i++; j++; }
    else if (j >= columns || (i < rows && length[(i + 1) * width + j] >= length[i * width + j + 1])) add('-', a[head + i++].trim() + ' ');
    else add('+', b[head + j++]);
  }
  b.slice(b.length - tail).forEach((word) => add('=', word));
  return edits;
}
`;
