/** Chat JSON Lines as OpenAI's fine-tuning and stored completions have it: {"messages": [...], "metadata": {...}}. Metadata values are texts there. */

import type { SftRow } from '../sft-row.ts';
import { detailsOf, splitConversation } from './messages.ts';

export function encodeChat(row: SftRow): object {
  const metadata = Object.fromEntries(Object.entries(detailsOf(row)).map(([key, value]) => [key, String(value)]));
  return { messages: [...row.prompt, ...row.completion], metadata };
}

/** The row-like value of a chat record; undefined for records of other formats. */
export function decodeChat(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const { messages, metadata } = record;
  if (!Array.isArray(messages)) return undefined;
  const details = { ...record, ...(metadata as Record<string, unknown> | null | undefined) };
  const score = details.score === undefined || details.score === null ? undefined : Number(details.score);
  return { ...details, score, ...splitConversation(messages) };
}
