/** How much of a source's vocabulary of its own a text takes up. */

import { STOP_WORDS } from '../../corpus/stop-words.ts';
import { words } from '../../corpus/words.ts';

/** Shorter words carry little; numbers count at any length. */
const SHORTEST_KEYWORD = 4;
/** Words are compared by their first letters, so that inflected forms meet ("observe", "observing"). */
const STEM_LETTERS = 6;

/** The distinct keywords of a text: stems of words of four letters and more that are no function words, and numbers. */
export function keywords(text: string): Set<string> {
  const found = words(text).filter(
    (word) => /^\p{N}/u.test(word) || (word.length >= SHORTEST_KEYWORD && !STOP_WORDS.en!.has(word)),
  );
  return new Set(found.map((word) => (/^\p{N}/u.test(word) ? word : word.slice(0, STEM_LETTERS))));
}

/** Share (0..1) of the source's distinct keywords that occur in the text; 1 for a source without keywords. */
export function keywordCoverage(text: string, source: string): number {
  const wanted = keywords(source);
  if (wanted.size === 0) return 1;
  const found = keywords(text);
  return [...wanted].filter((word) => found.has(word)).length / wanted.size;
}
