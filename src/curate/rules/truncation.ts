/** Drops texts that break off: cut at the token limit, or in the middle of a sentence. */

import { isTruncated } from '../measures/is-truncated.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const truncation: Rule = {
  name: 'truncation',
  check({ text, finishReason }) {
    if (!isTruncated(text, finishReason)) return KEEP;
    return drop(finishReason === 'length' ? 'cut at the token limit' : `ends "${text.trimEnd().slice(-40).trim()}"`);
  },
};
