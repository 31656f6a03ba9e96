/** What asking needs whichever way it is done, and the ledger lines it writes. */

import { UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Ledger } from '../store/ledger.ts';
import type { FailureLine, ResponseLine } from '../store/ledger-lines.ts';
import { usdOf } from '../teacher/price.ts';
import type { TeacherFailure, TeacherResponse } from '../teacher/teacher.ts';
import type { Job } from './job.ts';
import type { Provider } from './provider.ts';

export interface AskerParts {
  /** Its `teacher` is the one that is asked, labeler or judge. */
  recipe: Recipe;
  /** The servers behind that teacher. */
  providers: readonly Provider[];
  ledger: Ledger;
  /** No new request once aborted. */
  signal: AbortSignal;
  wait(ms: number, signal: AbortSignal): Promise<void>;
  now(): Date;
  onResponse(job: Job, line: ResponseLine): void;
  onFailure(job: Job, reason: string): void;
  /** Told of what the user should know while the asking goes on. */
  warn(message: string): void;
}

type Clock = Pick<AskerParts, 'now'>;

/** Who is asked, and when. */
export function stamp({ teacher, name }: Provider, { now }: Clock) {
  return { model: teacher.name, ...(name === undefined ? {} : { provider: name }), at: now().toISOString() };
}

export function head({ request, promptVersion }: Job, provider: Provider, clock: Clock) {
  const { key, stage, docId, item } = request;
  return { key, stage, docId, item, promptVersion, ...stamp(provider, clock) };
}

/** @param batch key of the batch the response came from */
export function responseLine(
  job: Job,
  response: TeacherResponse,
  provider: Provider,
  clock: Clock,
  batch?: string,
): ResponseLine {
  const { text, finishReason, usage, latencyMs, structured, digits } = response;
  const { messages, params } = job.request;
  const usd = usdOf(usage, provider.settings, batch !== undefined);
  return {
    type: 'response',
    ...head(job, provider, clock),
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

export function failureLine(
  job: Job,
  failure: TeacherFailure,
  provider: Provider,
  clock: Clock,
  { attempts, final = false, moved = false }: { attempts: number; final?: boolean; moved?: boolean },
): FailureLine {
  return {
    type: 'failure',
    ...head(job, provider, clock),
    reason: failure.message,
    attempts,
    final,
    ...(failure.possiblyCharged ? { lost: true } : {}),
    ...(moved ? { moved } : {}),
  };
}

/** Nobody is left to ask: why, for each provider. */
export function nobodyLeft({ recipe, providers }: Pick<AskerParts, 'recipe' | 'providers'>): UserError {
  const [first] = providers;
  const [name, why] =
    providers.length === 1 && recipe.teacher.kind === 'openai' && recipe.teacher.providers === undefined
      ? [first!.teacher.name, first!.asideFor]
      : [
          recipe.teacher.kind === 'openai' ? recipe.teacher.model : first!.teacher.name,
          `no provider is left (${providers.map((one) => `${one.name}: ${one.asideFor}`).join('; ')})`,
        ];
  const byBatch = providers.some(({ settings }) => settings.kind === 'openai' && settings.batch);
  return new UserError(
    `Cannot go on asking teacher ${name}: ${why}`,
    `Mend that${byBatch ? ', or set `batch` to false' : ''}, then run the same command again: everything answered so far is kept and not asked again`,
  );
}

/** Some answers are with providers that cannot be asked for them now. */
export function leftInBatches({ recipe }: Pick<AskerParts, 'recipe'>, providers: readonly Provider[]): UserError {
  const model = recipe.teacher.kind === 'openai' ? recipe.teacher.model : '';
  const why = providers.map(({ name, asideFor }) => `${name}: ${asideFor}`).join('; ');
  return new UserError(
    `Cannot finish asking teacher ${model}: batches are still under way at providers that were set aside (${why})`,
    'Mend that, then run the same command again: it fetches their results; everything else is kept',
  );
}
