/** Drops texts in which the model talks about its task ("Here is the rewritten text:", "As an AI", notes at the end). */

import type { TextPattern } from '../../recipe/pattern-list.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const boilerplate: Rule = {
  name: 'boilerplate',
  check({ text }, { patterns }) {
    for (const { name, where, pattern } of patterns) {
      const found = pattern.exec(scopeOf(text, where));
      if (found) return drop(`${name}: "${found[0].slice(0, 60).trim()}"`);
    }
    return KEEP;
  },
};

/** The part of a text a pattern is looked for in. */
function scopeOf(text: string, where: TextPattern['where']): string {
  const trimmed = text.trim();
  if (where === 'anywhere') return trimmed;
  if (where === 'start') return trimmed.split('\n', 1)[0]!.trim();
  return trimmed.split(/\n\s*\n/).at(-1)!;
}
