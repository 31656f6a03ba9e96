/** Any OpenAI-compatible chat server. One try a call: retries belong to `ask-with-retries.ts` alone. */

import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { z } from 'zod';
import { errorMessage, InterruptedError, UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import { rateLimits, retryAfter } from './rate-headers.ts';
import { type Teacher, TeacherFailure, type TeacherRequest, type TeacherResponse } from './teacher.ts';

type OpenaiSettings = Extract<Recipe['teacher'], { kind: 'openai' }>;

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

/**
 * A teacher behind an OpenAI-compatible server.
 *
 * @param environment where base URL and key are read from, by the names the recipe gives
 * @throws UserError naming the variable that is not set, or holds no URL
 */
export function openaiTeacher(
  settings: OpenaiSettings,
  { timeoutMs, environment }: { timeoutMs: number; environment: Record<string, string | undefined> },
): Teacher {
  const apiKey = environment[settings.apiKeyEnv];
  if (!apiKey) {
    throw new UserError(
      `Cannot ask teacher ${settings.model}: the environment variable ${settings.apiKeyEnv} is not set`,
      `export ${settings.apiKeyEnv}=..., or name another variable as teacher.apiKeyEnv (any text will do for servers without keys)`,
    );
  }
  const baseURL = environment[settings.baseUrlEnv] || 'https://api.openai.com/v1';
  if (!URL.canParse(baseURL) || !/^https?:/.test(baseURL)) {
    throw new UserError(
      `Cannot ask teacher ${settings.model}: ${settings.baseUrlEnv} is ${baseURL}, which is no URL`,
      'It must look like http://localhost:8000/v1',
    );
  }
  const client = new OpenAI({ apiKey, baseURL, maxRetries: 0, timeout: timeoutMs });
  // OpenAI's newer models refuse max_tokens; many compatible servers know nothing else.
  const limitName = new URL(baseURL).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens';
  return {
    name: settings.model,
    kind: 'openai',
    async complete(request, signal) {
      const started = performance.now();
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const response = await client.chat.completions
          .create(
            {
              model: settings.model,
              messages: request.messages,
              temperature: request.params.temperature,
              [limitName]: request.params.maxTokens,
            },
            {
              // Covers the body too; the client's own timeout ends with the headers.
              signal: AbortSignal.any([signal, timeout]),
              headers: { 'Idempotency-Key': request.key },
            },
          )
          .asResponse();
        const body = await response.text();
        const read = readCompletion(body, request, settings.model, performance.now() - started);
        return { ...read, limits: rateLimits(response.headers) };
      } catch (error) {
        if (error instanceof TeacherFailure) throw error;
        if (signal.aborted) throw new InterruptedError();
        if (timeout.aborted) {
          throw new TeacherFailure(`no answer within ${timeoutMs / 1000} s`, 'retry', { possiblyCharged: true });
        }
        throw failureOf(error, settings);
      }
    },
  };
}

/** Reads the body of a successful response. A body that is no completion may have been cut off: worth another try. */
function readCompletion(body: string, request: TeacherRequest, model: string, latencyMs: number): TeacherResponse {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new TeacherFailure(`the server's answer is no JSON: ${excerpt(body)}`, 'retry', { possiblyCharged: true });
  }
  const parsed = completion.safeParse(value);
  if (!parsed.success) {
    throw new TeacherFailure(`the server's answer is no completion: ${excerpt(body)}`, 'retry', {
      possiblyCharged: true,
    });
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

/** Connections that were never made carried no request. */
const NEVER_ARRIVED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/;

function failureOf(error: unknown, settings: OpenaiSettings): TeacherFailure {
  if (error instanceof APIUserAbortError) return new TeacherFailure('the request was aborted', 'retry');
  if (error instanceof APIError && !(error instanceof APIConnectionError)) return statusFailure(error, settings);
  // Everything else happened on the wire: refused or reset connections, bodies cut off.
  const message = connectionMessage(error);
  return new TeacherFailure(`connection failed: ${message}`, 'retry', {
    possiblyCharged: !NEVER_ARRIVED.test(message),
  });
}

function statusFailure(error: APIError, settings: OpenaiSettings): TeacherFailure {
  const status = error.status ?? 0;
  const message = excerpt(error.message);
  if (error.code === 'insufficient_quota' || status === 402) {
    return new TeacherFailure(`the account has no quota left (${message})`, 'stop');
  }
  if (status === 401 || status === 403) {
    return new TeacherFailure(`the server refused the key in ${settings.apiKeyEnv} (${message})`, 'stop');
  }
  if (status === 404) return new TeacherFailure(`the server knows no such model or address (${message})`, 'stop');
  // 529: overloaded, as some servers say it.
  const overloaded = status === 429 || status === 503 || status === 529;
  const passing = overloaded || status >= 500 || status === 408 || status === 409 || status === 0;
  return new TeacherFailure(message, passing ? 'retry' : 'refuse', {
    overloaded,
    retryAfterMs: retryAfter(error.headers),
    limits: rateLimits(error.headers),
  });
}

function connectionMessage(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as Error | undefined) : undefined;
  const inner = cause?.cause instanceof Error ? cause.cause : cause;
  return inner === undefined ? errorMessage(error) : `${errorMessage(error)} (${errorMessage(inner)})`;
}

function roughTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 200);
}
