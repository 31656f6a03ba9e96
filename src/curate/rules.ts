/** The cleaning rules, in the order they are asked: the first that objects gives the stored reason. */

import type { Rule, RuleSample, RuleSettings } from './rule.ts';
import { boilerplate } from './rules/boilerplate.ts';
import { copying } from './rules/copying.ts';
import { garbage } from './rules/garbage.ts';
import { keywordCoverage } from './rules/keyword-coverage.ts';
import { language } from './rules/language.ts';
import { lengthRatio } from './rules/length-ratio.ts';
import { loops } from './rules/loops.ts';
import { markdownFences } from './rules/markdown-fences.ts';
import { truncation } from './rules/truncation.ts';

export const RULES: readonly Rule[] = [
  garbage,
  markdownFences,
  boilerplate,
  loops,
  truncation,
  language,
  lengthRatio,
  copying,
  keywordCoverage,
];

/** The first rule that drops the sample and what it found; undefined where every rule keeps it. */
export function firstObjection(
  sample: RuleSample,
  settings: RuleSettings,
  rules: readonly Rule[] = RULES,
): { rule: string; reason: string } | undefined {
  for (const rule of rules) {
    const verdict = rule.check(sample, settings);
    if (!verdict.keep) return { rule: rule.name, reason: verdict.reason };
  }
  return undefined;
}
