/** Drops texts that are no text: broken encodings, control characters, symbols instead of words. */

import { drop, KEEP, type Rule } from '../rule.ts';

/** Below this share of letters and digits among the visible characters a text is mostly symbols. The recorded teacher texts have 0.85 and more. */
const LEAST_LETTERS = 0.6;
/** Longer runs without a space are no words of any language (and links of this length are no prose). */
const LONGEST_WORD = 120;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const BROKEN = /\uFFFD|[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/;
/** UTF-8 read as Latin-1 or Windows-1252 ("Ã©", "â€™"), more than once: once may be a quotation. */
const MOJIBAKE = /(?:Ã[\u0080-\u00BF]|â€).*(?:Ã[\u0080-\u00BF]|â€)/s;
/** Tables, rules and emphasis of Markdown are no sign of garbage. */
const MARKUP = /[\s|#*_=~`-]+/g;
const SCRIPTS_WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

export const garbage: Rule = {
  name: 'garbage',
  check({ text }) {
    const visible = text.replace(MARKUP, '');
    if (visible === '') return drop('empty');
    if (BROKEN.test(text) || MOJIBAKE.test(text)) return drop('control characters or a broken encoding');
    const share = (visible.match(/[\p{L}\p{M}\p{N}]/gu)?.join('').length ?? 0) / visible.length;
    if (share < LEAST_LETTERS) return drop(`${Math.round(100 * share)}% letters and digits`);
    const longest = text.split(/\s+/).find((word) => word.length > LONGEST_WORD && !SCRIPTS_WITHOUT_SPACES.test(word));
    return longest ? drop(`a run of ${longest.length} characters without a space`) : KEEP;
  },
};
