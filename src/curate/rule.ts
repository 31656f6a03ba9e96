/** A cleaning rule: one reason to drop a text, decided from the text and its source alone. */

import type { CleaningRuleName } from '../recipe/cleaning-names.ts';
import type { TextPattern } from '../recipe/pattern-list.ts';
import type { Recipe } from '../recipe/schema.ts';

export interface RuleSample {
  readonly text: string;
  /** The document the text was made from. */
  readonly source: string;
  readonly finishReason?: string | null;
}

/** The recipe's limits, and the patterns of the lists it names. */
export type RuleSettings = Pick<
  Recipe['curate'],
  'minKeywordCoverage' | 'maxCopied' | 'maxRepeated' | 'maxCompression' | 'minLength' | 'maxLength'
> & { readonly patterns: readonly TextPattern[] };

/** `reason` is for people and names what was found; funnels count by the rule's name. */
export type Verdict = { keep: true } | { keep: false; reason: string };

export interface Rule {
  readonly name: CleaningRuleName;
  readonly check: (sample: RuleSample, settings: RuleSettings) => Verdict;
}

export const KEEP: Verdict = { keep: true };

export function drop(reason: string): Verdict {
  return { keep: false, reason };
}
