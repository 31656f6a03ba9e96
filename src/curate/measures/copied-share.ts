/** How much of a text was copied from its source. */

import { wordGrams, words } from '../../corpus/words.ts';

/** Words of a run that counts as copied: long enough that ordinary phrases and names do not. */
export const COPIED_RUN = 8;

/** Above this share an output counts as `copied`: more than half of it was not rewritten. */
export const COPIED_LIMIT = 0.5;

/**
 * Share (0..1) of the text's 8-word runs that also stand in the source, case and punctuation aside.
 * A text of fewer than 8 words counts as one run. An empty text copied nothing.
 */
export function copiedShare(text: string, source: string): number {
  const own = words(text);
  if (own.length === 0) return 0;
  const run = Math.min(COPIED_RUN, own.length);
  const known = new Set(wordGrams(words(source), run));
  const runs = wordGrams(own, run);
  return runs.filter((gram) => known.has(gram)).length / runs.length;
}
