/** Drops answers wrapped in a Markdown code fence, or with a fence left open. Whole fences inside a text are its own. */

import { drop, KEEP, type Rule } from '../rule.ts';

export const markdownFences: Rule = {
  name: 'markdown-fences',
  check({ text }) {
    if (/^\s*(?:```|~~~)/.test(text)) return drop('starts with a code fence');
    const fences = text.match(/^\s*```/gm)?.length ?? 0;
    return fences % 2 === 1 ? drop('a code fence is left open') : KEEP;
  },
};
