/** The lines of the ledger: what was sent, what came back, what failed for good, what people said of outputs. One JSON object a line. */

import type { Score } from '../stage/judge.ts';
import type { DigitToken } from '../stage/score-distribution.ts';
import type { ChatMessage, StageName } from '../stage/stage.ts';

interface LineHead {
  /** Identity of the request: content hash of {stage, promptVersion, the teacher's model, params, messages}. Of a rating: of the output. */
  key: string;
  stage: StageName;
  docId: string;
  /** Pairs: the document; reformulate: `<docId>/<k>`; judge: id of the judged text. */
  item: string;
  /** The model that was asked, as its server calls it. */
  model: string;
  /** Which of the teacher's providers; absent where it has one server only. */
  provider?: string;
  promptVersion: string;
  /** ISO 8601. */
  at: string;
}

/** Synced before a request leaves. Without a later line of its key, the request may have been charged. */
export interface SentLine extends LineHead {
  type: 'sent';
  /** 1 for the first try of a run, 2 and more for its retries. */
  attempt: number;
  /** The try before this one of the same run broke off without an answer: possibly charged. */
  afterLost?: true;
  /** US dollars this try can cost at most; absent where no price is known. */
  usdAtMost?: number;
  /** Key of the batch it is part of. */
  batch?: string;
}

export interface RequestParameters {
  temperature: number;
  maxTokens: number;
  /** Tokens the server is asked to weigh at each place. */
  topLogprobs?: number;
}

export interface TokenUsage {
  promptTokens: number;
  completionTokens: number;
  /** Of `promptTokens`, those the provider took from its cache. */
  cachedPromptTokens?: number;
}

/** Synced before the response is parsed. */
export interface ResponseLine extends LineHead {
  type: 'response';
  messages: ChatMessage[];
  params: RequestParameters;
  text: string;
  /** `stop`, `length` (cut off at maxTokens), or what else the server calls it. */
  finishReason: string;
  /** Where the answer has a digit from 1 to 5, and token probabilities came back. */
  digits?: DigitToken[];
  usage: TokenUsage;
  /** US dollars; null where the recipe gives no price. */
  usd: number | null;
  latencyMs: number;
  /** The server held the answer to the stage's JSON Schema. */
  structured?: true;
  /** Key of the batch it came from; its latency is then unknown, and 0. */
  batch?: string;
}

/** A request that was given up. `final`: asking again cannot help, so later runs do not. */
export interface FailureLine extends LineHead {
  type: 'failure';
  reason: string;
  attempts: number;
  final: boolean;
  /** The last try broke off without an answer: possibly charged. */
  lost?: true;
  /** It goes to another provider: not given up yet. */
  moved?: true;
}

/**
 * A step of a batch job. `planned` is synced before anything of it leaves, `created` before its job is first looked at, `ended` after
 * the lines of all its requests.
 */
export interface BatchLine {
  type: 'batch';
  /** Goes along as metadata of the job, so that one whose id was never seen can be found again. */
  key: string;
  step: 'planned' | 'created' | 'ended';
  model: string;
  /** As in the lines of its requests. */
  provider?: string;
  /** ISO 8601. */
  at: string;
  /** Of `planned`: keys of its requests. */
  keys?: string[];
  /** Of `planned`: its requests carry their JSON Schemas. */
  structured?: boolean;
  /** Of `created`: the provider's id. */
  id?: string;
  /** Of `ended`: completed, expired, failed, cancelled, or never created. */
  outcome?: string;
}

/** What a person said of one output, without knowing who made it. Of several lines of one rater about one output the last counts. */
export interface RatingLine extends Omit<LineHead, 'promptVersion'> {
  type: 'rating';
  /** Who made the output; `model` is the model behind it. */
  arm: string;
  /** 1..5; null where the output was passed over, or a rating taken back. */
  score: Score | null;
  /** Passed over, and not to be shown again. */
  skipped?: true;
  rater: string;
}

export type LedgerLine = SentLine | ResponseLine | FailureLine | BatchLine | RatingLine;
