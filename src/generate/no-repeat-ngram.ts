/** Forbids a response to say the same n tokens twice. */

/**
 * Takes from the next token's choices whatever would complete n tokens that `tokens` already holds in a row. It is the
 * cure for loops that leaves the prompt's words alone: a repetition penalty that counts the prompt, as transformers' does,
 * drives a rewriter away from the names and numbers of its source.
 *
 * @param logits of the whole vocabulary; forbidden tokens become -Infinity
 * @param tokens of the response so far, without the prompt
 * @param n 0 forbids nothing
 */
export function noRepeatNgram(logits: Float32Array, tokens: readonly number[], n: number): void {
  const context = n - 1;
  if (n === 0 || tokens.length < n) return;
  const end = tokens.length - context;
  for (let start = 0; start < end; start++) {
    let same = 0;
    while (same < context && tokens[start + same] === tokens[end + same]) same++;
    if (same === context) logits[tokens[start + context]!] = Number.NEGATIVE_INFINITY;
  }
}
