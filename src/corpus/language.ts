/** The language of a text, as far as function words and scripts tell it. */

import { STOP_WORDS } from './stop-words.ts';
import { words } from './words.ts';

const SCRIPTS = ['Latin', 'Cyrillic', 'Greek', 'Arabic', 'Hebrew', 'Devanagari', 'Han', 'Hiragana', 'Hangul', 'Thai'];
const SCRIPT_PATTERNS = SCRIPTS.map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'gu')] as const);

/** Fewer words say nothing about a language. */
const FEWEST_WORDS = 20;
/** Running text has 30 to 50% function words of its own language; below this share the language counts as unknown. */
const LEAST_SHARE = 0.12;

/** The script most letters of the text belong to; undefined for a text without letters of a known script. */
export function mainScript(text: string): string | undefined {
  const counts = SCRIPT_PATTERNS.map(([name, pattern]) => [name, text.match(pattern)?.length ?? 0] as const);
  const [name, count] = counts.reduce((best, next) => (next[1] > best[1] ? next : best));
  return count > 0 ? name : undefined;
}

/** ISO 639-1 code of the language (en, de, fr, es, it, pt, nl) whose function words are most frequent; undefined where none stands out. */
export function language(text: string): string | undefined {
  const list = words(text);
  if (list.length < FEWEST_WORDS) return undefined;
  const shares = Object.entries(STOP_WORDS).map(
    ([code, known]) => [code, list.filter((word) => known.has(word)).length / list.length] as const,
  );
  const [code, share] = shares.reduce((best, next) => (next[1] > best[1] ? next : best));
  return share >= LEAST_SHARE ? code : undefined;
}
