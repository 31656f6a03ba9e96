/** Drops texts far shorter or longer than their source. */

import { words } from '../../corpus/words.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

/** The shortest recorded teacher text has 54% of its source's words. */
const SHORTEST = 0.4;
/** A text of this many words says something, however long its source is. */
const LONG_ENOUGH = 150;
/** The longest recorded teacher text has 1.9 times its source's words; a text of more than 4 times was mostly made up. */
const LONGEST = 4;

export const lengthRatio: Rule = {
  name: 'length-ratio',
  check({ text, source }) {
    const [own, given] = [words(text).length, words(source).length];
    const tooShort = own < SHORTEST * given && own < LONG_ENOUGH;
    const tooLong = own > LONGEST * given && own > LONG_ENOUGH;
    return tooShort || tooLong ? drop(`${own} words, source ${given}`) : KEEP;
  },
};
