/** The cleaning rules, in the order they are asked: the first that objects gives the stored reason. */

import type { AnyStage, StageName } from '../stage/stage.ts';
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

/**
 * Rules by stage. Pairs *describe* genres and audiences, so most rules for written texts do not apply; judged texts are bad
 * on purpose.
 */
const STAGE_RULES: Readonly<Record<StageName, readonly Rule[]>> = {
  pairs: [garbage, language],
  reformulate: RULES,
  judge: [],
};

/** For texts of a stage of one's own: it may translate, quote or shorten, so that nothing is compared with the source. */
const TEXT_RULES: readonly Rule[] = [garbage, markdownFences, boilerplate, loops, truncation];

/** The rules of a stage among those a recipe asks for. */
export function stageRules({ name, prose }: Pick<AnyStage, 'name' | 'prose'>, wanted: readonly string[]): Rule[] {
  const rules = STAGE_RULES[name] ?? (prose ? TEXT_RULES : []);
  return rules.filter((rule) => wanted.includes(rule.name));
}

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
