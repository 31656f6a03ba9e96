/** Reads a chat completion, from a server's answer or a line of a batch's results. */

import { z } from 'zod';
import type { DigitToken } from '../stage/score-distribution.ts';
import { TeacherFailure, type TeacherRequest, type TeacherResponse } from './teacher.ts';

const tokenLogprobs = z.object({
  content: z
    .array(
      z.object({
        token: z.string(),
        top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })),
      }),
    )
    .nullish(),
});

/** What is read of a chat completion; servers add much and leave out some. */
const completion = z.object({
  model: z.string().optional(),
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        finish_reason: z.string().nullish(),
        logprobs: tokenLogprobs.nullish().catch(undefined),
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
  const { message, finish_reason, logprobs } = choices[0]!;
  const digits = digitTokens(logprobs?.content ?? []);
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    text: message.content ?? message.refusal ?? '',
    finishReason: finish_reason ?? 'stop',
    ...(digits.length > 0 ? { digits } : {}),
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

/** An answer may be full of numbers; the score stands near its end. */
const MOST_DIGITS = 12;

/** The places where a token is a digit from 1 to 5 (blanks and quotes around it), the last ones. */
function digitTokens(tokens: NonNullable<z.output<typeof tokenLogprobs>['content']>): DigitToken[] {
  const found: DigitToken[] = [];
  let at = 0;
  for (const { token, top_logprobs } of tokens) {
    const digit = /^\W*([1-5])\W*$/d.exec(token)?.indices?.[1];
    if (digit) found.push({ at: at + digit[0], top: top_logprobs.map((one) => [one.token, one.logprob]) });
    at += token.length;
  }
  return found.slice(-MOST_DIGITS);
}

function roughTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** The beginning of a text on one line, for messages. */
export function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
