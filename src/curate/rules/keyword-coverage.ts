/** Drops texts that hold next to nothing of their source's vocabulary: the paper's "extremely low" keyword coverage. */

import { keywordCoverage as coverageOf } from '../measures/keyword-coverage.ts';
import { drop, KEEP, type Rule } from '../rule.ts';

export const keywordCoverage: Rule = {
  name: 'keyword-coverage',
  check({ text, source }, { minKeywordCoverage }) {
    const coverage = coverageOf(text, source);
    return coverage < minKeywordCoverage ? drop(`${Math.round(100 * coverage)}% of the source's keywords`) : KEEP;
  },
};
