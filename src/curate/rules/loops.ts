/** Drops texts that repeat themselves: word for word, or with a word changed each time, which shows in compression. */

import { loopEvidence } from '../measures/is-looping.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const loops: Rule = {
  name: 'loops',
  check({ text }, limits) {
    const { repeated, compression } = loopEvidence(text);
    if (repeated > limits.maxRepeated) return drop(`${Math.round(100 * repeated)}% of its 6-word runs are repeats`);
    return compression > limits.maxCompression ? drop(`its end compresses ${compression.toFixed(1)} to 1`) : KEEP;
  },
};
