/** Drops texts that were copied from their source instead of written anew. */

import { copiedShare } from '../measures/copied-share.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const copying: Rule = {
  name: 'copying',
  check({ text, source }, { maxCopied }) {
    const share = copiedShare(text, source);
    return share > maxCopied ? drop(`${Math.round(100 * share)}% of its 8-word runs are from the source`) : KEEP;
  },
};
