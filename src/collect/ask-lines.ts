/** What asking needs whichever way it is done, and the ledger lines it writes. */

import { UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Ledger } from '../store/ledger.ts';
import type { ResponseLine } from '../store/ledger-lines.ts';
import { usdOf } from '../teacher/price.ts';
import type { Teacher, TeacherFailure, TeacherResponse } from '../teacher/teacher.ts';
import type { Job } from './job.ts';

export interface AskerParts {
  recipe: Recipe;
  teacher: Teacher;
  ledger: Ledger;
  /** No new request once aborted. */
  signal: AbortSignal;
  wait(ms: number, signal: AbortSignal): Promise<void>;
  now(): Date;
  onResponse(job: Job, line: ResponseLine): void;
  onFailure(job: Job, reason: string): void;
}

export function head({ request, promptVersion }: Job, { teacher, now }: AskerParts) {
  const { key, stage, docId, item } = request;
  return { key, stage, docId, item, model: teacher.name, promptVersion, at: now().toISOString() };
}

/** @param batch key of the batch the response came from */
export function responseLine(job: Job, response: TeacherResponse, parts: AskerParts, batch?: string): ResponseLine {
  const { text, finishReason, usage, latencyMs, structured, digits } = response;
  const { messages, params } = job.request;
  const usd = usdOf(usage, parts.recipe.teacher, batch !== undefined);
  return {
    type: 'response',
    ...head(job, parts),
    messages,
    params,
    text,
    finishReason,
    usage,
    usd,
    latencyMs,
    ...(structured ? { structured } : {}),
    ...(digits ? { digits } : {}),
    ...(batch === undefined ? {} : { batch }),
  };
}

export function stopError(teacher: Teacher, failure: TeacherFailure): UserError {
  return new UserError(
    `Cannot go on asking teacher ${teacher.name}: ${failure.message}`,
    'Mend that, then run the same command again: everything answered so far is kept and not asked again',
  );
}
