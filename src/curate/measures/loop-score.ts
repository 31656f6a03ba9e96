/** How much of a text repeats itself word for word. */

import { wordGrams, words } from '../../corpus/words.ts';

/** Words of a run that counts as repeated: refrains and set phrases of good prose are mostly shorter. */
const REPEATED_RUN = 6;

/** Share (0..1) of the text's 6-word runs that occurred earlier in it; 0 for texts of fewer than 7 words. */
export function loopScore(text: string): number {
  const runs = wordGrams(words(text), REPEATED_RUN);
  return runs.length === 0 ? 0 : 1 - new Set(runs).size / runs.length;
}
