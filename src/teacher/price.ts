/** What a response cost. */

import type { Recipe } from '../recipe/schema.ts';
import type { TokenUsage } from '../store/ledger-lines.ts';

/** US dollars of a response at the recipe's price; null where the recipe names none. A recording costs nothing. */
export function usdOf(usage: TokenUsage, teacher: Recipe['teacher']): number | null {
  if (teacher.kind === 'recorded') return 0;
  if (teacher.price === undefined) return null;
  const { inputPerMillion, outputPerMillion } = teacher.price;
  return (usage.promptTokens * inputPerMillion + usage.completionTokens * outputPerMillion) / 1e6;
}
