/** Rows of distilabel's text generation: `instruction` and `generation`, with an optional `system_prompt`; or a `conversation`. */

import { splitConversation } from './messages.ts';

/** The row-like value of a distilabel row; undefined for records of other formats. */
export function decodeDistilabel(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const { conversation, instruction, generation, system_prompt: system } = record;
  if (Array.isArray(conversation)) return { ...record, ...splitConversation(conversation) };
  if (typeof instruction !== 'string' || typeof generation !== 'string') return undefined;
  const opening = typeof system === 'string' && system !== '' ? [{ role: 'system', content: system }] : [];
  return {
    ...record,
    prompt: [...opening, { role: 'user', content: instruction }],
    completion: [{ role: 'assistant', content: generation }],
  };
}
