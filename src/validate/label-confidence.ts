/** How sure a student was of each label: the probability it gave the tokens it wrote the label with. */

import type { LabelField } from '../recipe/label-fields.ts';

/** A generated token: where its text ends in the response (characters), and its log-probability (nats). */
export interface WrittenToken {
  end: number;
  logprob: number;
}

/**
 * exp(sum of log p) over the tokens that hold a part of the field's value, by field. A token may also hold a quotation mark
 * or a comma. Fields that are not written as `"name": value` are left out: nothing is known of them.
 */
export function labelConfidence(
  response: string,
  fields: readonly LabelField[],
  tokens: readonly WrittenToken[],
): Record<string, number> {
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const key = JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const value = new RegExp(`${key}\\s*:\\s*("(?:[^"\\\\]|\\\\.)*"|[^\\s,}"]+)`, 'd').exec(response);
      const span = value?.indices?.[1];
      if (span === undefined) return [];
      const [start, end] = span;
      const logprobs = tokens.flatMap((token, i) => {
        const from = tokens[i - 1]?.end ?? 0;
        return from < end && token.end > start ? [token.logprob] : [];
      });
      return logprobs.length === 0 ? [] : [[name, Math.exp(logprobs.reduce((sum, value) => sum + value, 0))]];
    }),
  );
}
