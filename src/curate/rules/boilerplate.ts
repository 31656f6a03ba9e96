/** Drops texts in which the model talks about its task ("Here is the rewritten text:", "As an AI", notes at the end). */

import { BOILERPLATE_PATTERNS, patternScope } from '../boilerplate-patterns.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const boilerplate: Rule = {
  name: 'boilerplate',
  check({ text }) {
    for (const { name, where, pattern } of BOILERPLATE_PATTERNS) {
      const found = pattern.exec(patternScope(text, where));
      if (found) return drop(`${name}: "${found[0].slice(0, 60).trim()}"`);
    }
    return KEEP;
  },
};
