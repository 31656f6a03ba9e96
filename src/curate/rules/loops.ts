/** Drops texts that repeat themselves. */

import { isLooping } from '../measures/is-looping.ts';
import { loopScore } from '../measures/loop-score.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const loops: Rule = {
  name: 'loops',
  check({ text }) {
    return isLooping(text) ? drop(`${Math.round(100 * loopScore(text))}% of its 6-word runs are repeats`) : KEEP;
  },
};
