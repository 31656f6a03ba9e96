/** The seam between the toolkit and whoever labels: one request in, one raw response out. */

import type { DigitToken } from '../stage/score-distribution.ts';
import type { ChatMessage, JsonSchema, StageName } from '../stage/stage.ts';
import type { RequestParameters, TokenUsage } from '../store/ledger-lines.ts';
import type { RateLimit } from './rate-headers.ts';

export interface TeacherRequest {
  /** Content hash of {stage, promptVersion, model, params, messages}. */
  key: string;
  stage: StageName;
  docId: string;
  item: string;
  messages: ChatMessage[];
  params: RequestParameters;
  /**
   * JSON Schema that a server may hold the answer to. It belongs to the stage's prompt version and not to the request's identity:
   * an answer given without it counts as well.
   */
  schema?: JsonSchema;
  /** Which time the same is asked, from 2 on. */
  repeat?: number;
}

export interface TeacherResponse {
  text: string;
  /** `stop`, `length`, or what else the server calls it. */
  finishReason: string;
  /** See ResponseLine. */
  digits?: DigitToken[];
  usage: TokenUsage;
  /** The model that answered, as the server names it. */
  model: string;
  latencyMs: number;
  /** What the server says it still takes. */
  limits?: readonly RateLimit[];
  /** The server held the answer to the request's schema. */
  structured?: boolean;
}

export interface Teacher {
  /** Part of a request's identity, and the row's name in tables. */
  readonly name: string;
  readonly kind: 'recorded' | 'openai';
  /** One try, without retries. Throws TeacherFailure, or InterruptedError when `signal` is aborted. */
  complete(request: TeacherRequest, signal: AbortSignal): Promise<TeacherResponse>;
  /** The provider's Batch API, where it may have one. */
  readonly batches?: BatchClient;
}

export interface BatchState {
  ended: boolean;
  /** As the provider calls it: completed, expired, failed, cancelled. */
  outcome: string;
  /** Files with results; there may be some of a batch that expired. */
  files: string[];
  /** Why the provider refused the batch as a whole. */
  problem?: { code: string; message: string };
}

export interface BatchResult {
  key: string;
  outcome: TeacherResponse | TeacherFailure;
}

/** A provider answers a batch within this time, or lets it expire. */
export const BATCH_WINDOW_HOURS = 24;

/** Jobs of many requests. One try a call, as with `Teacher.complete`; each throws TeacherFailure. */
export interface BatchClient {
  /** Makes a job of `requests`, with `key` in its metadata; returns the provider's id. */
  create(key: string, requests: readonly TeacherRequest[], structured: boolean): Promise<string>;
  /** Id of the job with `key` in its metadata, made after `since` (ISO 8601); undefined where there is none. */
  find(key: string, since: string): Promise<string | undefined>;
  state(id: string): Promise<BatchState>;
  /** Results in any order; of requests that are not among `requests` none. */
  results(file: string, requests: ReadonlyMap<string, TeacherRequest>): AsyncIterable<BatchResult>;
}

/**
 * What a failed try means for the next one.
 * - `retry`: the same request may succeed later (429, 5xx, time-outs, broken connections);
 * - `refuse`: this request will fail every time (bad request, content refused, no recording);
 * - `stop`: every request will fail until the user mends something (key, quota, model name).
 */
export type FailureScope = 'retry' | 'refuse' | 'stop';

/** A try that brought no response. */
export class TeacherFailure extends Error {
  readonly scope: FailureScope;
  /** Milliseconds the server asked to wait. */
  readonly retryAfterMs: number | undefined;
  /** The server is asking for fewer requests at a time. */
  readonly overloaded: boolean;
  /** The request was on its way and no answer came whole: the provider may have done the work. */
  readonly possiblyCharged: boolean;
  /** What the server says it still takes. */
  readonly limits: readonly RateLimit[];
  /** The server takes something in the request for wrong. */
  readonly badRequest: boolean;

  constructor(
    message: string,
    scope: FailureScope,
    details: {
      retryAfterMs?: number | undefined;
      overloaded?: boolean;
      possiblyCharged?: boolean;
      limits?: readonly RateLimit[];
      badRequest?: boolean;
    } = {},
  ) {
    super(message);
    this.name = 'TeacherFailure';
    this.scope = scope;
    this.retryAfterMs = details.retryAfterMs;
    this.overloaded = details.overloaded ?? false;
    this.possiblyCharged = details.possiblyCharged ?? false;
    this.limits = details.limits ?? [];
    this.badRequest = details.badRequest ?? false;
  }
}
