/** The body of a chat request, for a request of its own or a line of a batch. */

import type { ChatMessage } from '../stage/stage.ts';
import type { TeacherRequest } from './teacher.ts';

export type LimitName = 'max_tokens' | 'max_completion_tokens';

/** OpenAI's newer models refuse max_tokens; many compatible servers know nothing else. */
export function limitName(baseUrl: string): LimitName {
  return new URL(baseUrl).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens';
}

/** @param structured whether the stage's JSON Schema goes along, for the server to hold the answer to */
export function chatBody(
  { stage, messages, params, schema }: TeacherRequest,
  model: string,
  limit: LimitName,
  structured: boolean,
) {
  return {
    model,
    messages: messages as ChatMessage[],
    temperature: params.temperature,
    [limit]: params.maxTokens,
    ...(params.topLogprobs ? { logprobs: true, top_logprobs: params.topLogprobs } : {}),
    ...(structured && schema !== undefined
      ? { response_format: { type: 'json_schema' as const, json_schema: { name: stage, strict: true, schema } } }
      : {}),
  };
}
