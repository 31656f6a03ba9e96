/** Drops texts far shorter or longer than their source. */

import { words } from '../../corpus/words.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

/** A text of this many words says something, however long its source is; a shorter one may be a verse for a long page. */
const LONG_ENOUGH = 150;

export const lengthRatio: Rule = {
  name: 'length-ratio',
  check({ text, source }, { minLength, maxLength }) {
    const [own, given] = [words(text).length, words(source).length];
    const tooShort = own < minLength * given && own < LONG_ENOUGH;
    const tooLong = own > maxLength * given && own > LONG_ENOUGH;
    return tooShort || tooLong ? drop(`${own} words, source ${given}`) : KEEP;
  },
};
