/** Any OpenAI-compatible chat server. One try a call: retries belong to `ask-with-retries.ts` alone. */

import OpenAI from 'openai';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import { chatBody, limitName } from './chat-body.ts';
import { readCompletion } from './chat-completion.ts';
import { openaiBatches } from './openai-batches.ts';
import { failureOf } from './openai-failure.ts';
import { rateLimits } from './rate-headers.ts';
import { type Teacher, TeacherFailure, type TeacherRequest, type TeacherResponse } from './teacher.ts';

type OpenaiSettings = Extract<Recipe['teacher'], { kind: 'openai' }>;

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
  const limit = limitName(baseURL);

  const once = async (request: TeacherRequest, structured: boolean, signal: AbortSignal): Promise<TeacherResponse> => {
    const started = performance.now();
    const limited = withinTime(signal, timeoutMs);
    try {
      const response = await client.chat.completions
        .create(chatBody(request, settings.model, limit, structured), {
          // Covers the body too; the client's own timeout ends with the headers.
          signal: limited.signal,
          headers: { 'Idempotency-Key': request.key },
        })
        .asResponse();
      const body = await response.text();
      const read = readCompletion(body, request, settings.model, performance.now() - started);
      return { ...read, limits: rateLimits(response.headers), ...(structured ? { structured } : {}) };
    } catch (error) {
      if (error instanceof TeacherFailure) throw error;
      if (signal.aborted) throw new InterruptedError();
      if (limited.signal.aborted) {
        throw new TeacherFailure(`no answer within ${timeoutMs / 1000} s`, 'retry', { possiblyCharged: true });
      }
      throw failureOf(error, settings);
    } finally {
      limited.end();
    }
  };

  let takesSchemas = settings.structured;
  return {
    name: settings.model,
    kind: 'openai',
    batches: openaiBatches({ client, model: settings.model, limit, apiKeyEnv: settings.apiKeyEnv }),
    async complete(request, signal) {
      const structured = takesSchemas && request.schema !== undefined;
      try {
        return await once(request, structured, signal);
      } catch (error) {
        if (!structured || !(error instanceof TeacherFailure) || !error.badRequest) throw error;
        // It may be the schema that was refused, or the request: an answer without the schema tells which.
        const response = await once(request, false, signal);
        takesSchemas = false;
        return response;
      }
    },
  };
}

/**
 * A signal for one try: aborted with `signal`, and after `ms`. `AbortSignal.any` over `AbortSignal.timeout` would stay in
 * memory with all that listens to it, long after the answer: 2.5 kB a request.
 */
function withinTime(signal: AbortSignal, ms: number): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, ms);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}
