/** ShareGPT conversations, as LLaMA-Factory reads them together with a dataset_info.json. */

import { UserError } from '../../foundation/errors.ts';
import type { SftRow } from '../sft-row.ts';
import { detailsOf, splitConversation } from './messages.ts';

const TO_SHAREGPT = { user: 'human', assistant: 'gpt' } as const;
const FROM_SHAREGPT: Readonly<Record<string, string>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  system: 'system',
};

/** @throws UserError for a system message that is not the first: the format has one place for it. */
export function encodeShareGpt(row: SftRow): object {
  const [first, ...rest] = [...row.prompt, ...row.completion];
  const system = first!.role === 'system' ? { system: first!.content } : {};
  const turns = first!.role === 'system' ? rest : [first!, ...rest];
  return {
    ...detailsOf(row),
    ...system,
    conversations: turns.map(({ role, content }) => {
      if (role === 'system') {
        throw new UserError(
          `Cannot write row "${row.id}" as ShareGPT: it has a system message after the first message`,
          'Export as chat or prompt-completion JSON Lines',
        );
      }
      return { from: TO_SHAREGPT[role], value: content };
    }),
  };
}

/** The row-like value of a ShareGPT record; undefined for records of other formats. */
export function decodeShareGpt(record: Record<string, unknown>): Record<string, unknown> | undefined {
  const { conversations, system, ...details } = record;
  if (!Array.isArray(conversations)) return undefined;
  const messages = conversations.map((turn) => {
    const { from, value } = (turn ?? {}) as Record<string, unknown>;
    return { role: FROM_SHAREGPT[String(from)] ?? from, content: value };
  });
  const opening = typeof system === 'string' ? [{ role: 'system', content: system }] : [];
  return { ...details, ...splitConversation([...opening, ...messages]) };
}

/** The entry of dataset_info.json that tells LLaMA-Factory how to read the file. */
export function shareGptInfo(fileName: string): object {
  return {
    file_name: fileName,
    formatting: 'sharegpt',
    columns: { messages: 'conversations', system: 'system' },
    tags: { role_tag: 'from', content_tag: 'value', user_tag: 'human', assistant_tag: 'gpt' },
  };
}
