/** Reads a chat completion, from a server's answer or a line of a batch's results. */

import { z } from 'zod';
import { TeacherFailure, type TeacherRequest, type TeacherResponse } from './teacher.ts';

/** What is read of a chat completion; servers add much and leave out some. */
const completion = z.object({
  model: z.string().optional(),
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: z.number().nullish(),
      completion_tokens: z.number().nullish(),
      prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
    })
    .nullish(),
});

/** Reads the body of a successful response. A body that is no completion may have been cut off: worth another try. */
export function readCompletion(
  body: string,
  request: TeacherRequest,
  model: string,
  latencyMs: number,
): TeacherResponse {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new TeacherFailure(`the server's answer is no JSON: ${excerpt(body)}`, 'retry', { possiblyCharged: true });
  }
  return completionOf(value, request, model, latencyMs);
}

/** The same for a body that is parsed already. */
export function completionOf(
  value: unknown,
  request: TeacherRequest,
  model: string,
  latencyMs: number,
): TeacherResponse {
  const parsed = completion.safeParse(value);
  if (!parsed.success) {
    const found = excerpt(JSON.stringify(value) ?? 'nothing');
    throw new TeacherFailure(`the server's answer is no completion: ${found}`, 'retry', { possiblyCharged: true });
  }
  const { choices, usage } = parsed.data;
  const { message, finish_reason } = choices[0]!;
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    text: message.content ?? message.refusal ?? '',
    finishReason: finish_reason ?? 'stop',
    // Servers that count nothing get a rough count, so that spend is never silently 0: about four characters a token.
    usage: {
      promptTokens: usage?.prompt_tokens ?? roughTokens(request.messages.map((one) => one.content).join('')),
      completionTokens: usage?.completion_tokens ?? roughTokens(message.content ?? ''),
      ...(cached > 0 ? { cachedPromptTokens: cached } : {}),
    },
    model: parsed.data.model ?? model,
    latencyMs: Math.round(latencyMs),
  };
}

function roughTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** The beginning of a text on one line, for messages. */
export function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
