/** Conversations of other formats, split into what is asked and what is learned. */

import type { SftRow } from '../sft-row.ts';

/** Row fields besides the conversation. */
export type RowDetails = Omit<SftRow, 'prompt' | 'completion'>;

/**
 * Splits a list of messages at its last message that is not the assistant's: the completion is what the assistant says after it.
 * The values are unchecked here: `toSftRow` checks them and names what is wrong.
 */
export function splitConversation(messages: readonly unknown[]): { prompt: unknown[]; completion: unknown[] } {
  let end = messages.length;
  while (end > 0 && (messages[end - 1] as { role?: unknown } | null)?.role === 'assistant') end--;
  return { prompt: messages.slice(0, end), completion: messages.slice(end) };
}

/** The details of a row, for formats that keep them beside the conversation. */
export function detailsOf({ prompt: _prompt, completion: _completion, ...details }: SftRow): RowDetails {
  return details;
}
