/** What an error of the client means for the next try. */

import { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { errorMessage } from '../foundation/errors.ts';
import { excerpt } from './chat-completion.ts';
import { rateLimits, retryAfter } from './rate-headers.ts';
import { TeacherFailure } from './teacher.ts';

/** Connections that were never made carried no request. */
const NEVER_ARRIVED = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/;

/** @param apiKeyEnv the variable the key was taken from, to be named where it is refused */
export function failureOf(error: unknown, { apiKeyEnv }: { apiKeyEnv: string }): TeacherFailure {
  if (error instanceof APIUserAbortError) return new TeacherFailure('the request was aborted', 'retry');
  if (error instanceof APIError && !(error instanceof APIConnectionError)) return statusFailure(error, apiKeyEnv);
  // Everything else happened on the wire: refused or reset connections, bodies cut off.
  const message = connectionMessage(error);
  return new TeacherFailure(`connection failed: ${message}`, 'retry', {
    possiblyCharged: !NEVER_ARRIVED.test(message),
  });
}

function statusFailure(error: APIError, apiKeyEnv: string): TeacherFailure {
  const status = error.status ?? 0;
  const message = excerpt(error.message);
  if (error.code === 'insufficient_quota' || status === 402) {
    return new TeacherFailure(`the account has no quota left (${message})`, 'stop');
  }
  if (status === 401 || status === 403) {
    return new TeacherFailure(`the server refused the key in ${apiKeyEnv} (${message})`, 'stop');
  }
  if (status === 404) return new TeacherFailure(`the server knows no such model or address (${message})`, 'stop');
  // 529: overloaded, as some servers say it.
  const overloaded = status === 429 || status === 503 || status === 529;
  const passing = overloaded || status >= 500 || status === 408 || status === 409 || status === 0;
  return new TeacherFailure(message, passing ? 'retry' : 'refuse', {
    overloaded,
    badRequest: status === 400 || status === 422,
    retryAfterMs: retryAfter(error.headers),
    limits: rateLimits(error.headers),
  });
}

function connectionMessage(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as Error | undefined) : undefined;
  const inner = cause?.cause instanceof Error ? cause.cause : cause;
  return inner === undefined ? errorMessage(error) : `${errorMessage(error)} (${errorMessage(inner)})`;
}
