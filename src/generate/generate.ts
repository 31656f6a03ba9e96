/** Generates many responses: sequences share the batch, and whoever ends leaves its place to the next. */

import type { Emit } from '../foundation/events.ts';
import type { GenerationSettings } from '../recipe/schema.ts';
import type { GenerationModel } from './decoder.ts';
import type { Lane, SampledToken } from './lane.ts';
import { openLanes } from './open-lanes.ts';
import { RequestQueue } from './request-queue.ts';

export interface GenerationRequest {
  readonly id: string;
  /** Token ids, generation prompt included; at least one. */
  readonly prompt: readonly number[];
  /** Names this request's randomness; equal prompts with different seeds give different responses. */
  readonly seed: string;
}

export interface Generated {
  readonly id: string;
  /** Without the token that ended it. */
  readonly tokens: number[];
  /** Whether it ended by itself (by an end token, or as `GenerationContext.finished` says), not by the limit. */
  readonly complete: boolean;
  /** Log-probability (nats) of each token of `tokens`, before penalties and temperature; where they were asked for. */
  readonly logprobs?: number[];
  /** From when it got its place to its end; other sequences were at work in the same time. */
  readonly seconds: number;
}

export interface GenerationContext {
  readonly signal: AbortSignal;
  readonly eosTokenIds: readonly number[];
  /** Whether a response has all it needs after its last token, and ends there. */
  readonly finished?: (tokens: readonly number[]) => boolean;
  /** Whether responses carry the log-probabilities of their tokens. */
  readonly logprobs?: boolean;
  readonly emit?: Emit;
  /** Threads that share the sequences; default: what suits the machine and the model. */
  readonly lanes?: number;
}

interface Sequence {
  readonly request: GenerationRequest;
  readonly tokens: number[];
  readonly logprobs: number[];
  /** Most tokens it may have. */
  readonly limit: number;
  readonly began: number;
}

/**
 * Yields each response as it ends. A response depends on model, prompt, seed and options alone: neither the other requests
 * nor their order nor the number of threads change a token of it. Requests that begin alike (those of one document) should
 * stand next to one another: their common beginning is then encoded once.
 *
 * A prompt that fills the model's positions yields an empty, incomplete response and a warning.
 *
 * @throws InterruptedError when the signal is aborted, within a step
 */
export async function* generate(
  model: GenerationModel,
  requests: readonly GenerationRequest[],
  options: GenerationSettings,
  context: GenerationContext,
): AsyncGenerator<Generated, void, undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const ended: Generated[] = [];
  let wake = () => {};
  const put = (response: Generated) => {
    ended.push(response);
    wake();
  };
  const { maxPositions } = model.model.config;
  const short = requests.filter((request) => {
    if (request.prompt.length < maxPositions) return true;
    context.emit?.(tooLong(request, maxPositions));
    ended.push({ id: request.id, tokens: [], complete: false, seconds: 0 });
    return false;
  });
  const { logprobs = false, lanes: count } = context;
  const work = { places: options.batch, sequences: short.length, ...(count !== undefined && { lanes: count }) };
  const lanes = openLanes(model, { ...options, logprobs }, work, signal);
  const queue = new RequestQueue(short, lanes.length);
  const limitOf = ({ prompt }: GenerationRequest) => Math.min(options.maxTokens, maxPositions - prompt.length);
  const write = (lane: Lane, i: number) => writeAll(lane, () => queue.next(i), limitOf, context, put);
  let working = true;
  const writing = lanes.map(write);
  const all = Promise.all(writing).finally(() => {
    working = false;
    wake();
  });
  // It is awaited below; until then a failure is not unhandled.
  all.catch(() => {});
  try {
    for (;;) {
      while (ended.length > 0) yield ended.shift()!;
      if (!working) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await all;
  } finally {
    // Whoever still works ends within a step.
    stop.abort();
    await Promise.allSettled(writing);
    await Promise.all(lanes.map((lane) => lane.release()));
  }
}

/** Writes requests in a lane's places until there are no more. */
async function writeAll(
  lane: Lane,
  next: () => GenerationRequest | undefined,
  limitOf: (request: GenerationRequest) => number,
  context: GenerationContext,
  put: (response: Generated) => void,
): Promise<void> {
  const places = new Array<Sequence | undefined>(lane.places).fill(undefined);
  for (;;) {
    for (let place = 0; place < places.length; place++) {
      if (places[place]) continue;
      const request = next();
      if (!request) break;
      const began = performance.now();
      const limit = limitOf(request);
      await lane.begin(place, { prompt: request.prompt, seed: request.seed, limit });
      places[place] = { request, tokens: [], logprobs: [], limit, began };
    }
    if (places.every((sequence) => !sequence)) return;
    const sampled = await lane.step();
    for (const [place, sequence] of places.entries()) {
      if (!sequence) continue;
      const ended = advance(sequence, sampled[place]!, context);
      if (!ended) continue;
      places[place] = undefined;
      lane.end(place);
      put(ended);
    }
  }
}

/** Adds the next token; the response where that was its last. */
function advance(
  { request, tokens, logprobs, limit, began }: Sequence,
  { token, logprob }: SampledToken,
  { eosTokenIds, finished, logprobs: wanted = false }: GenerationContext,
): Generated | undefined {
  let complete = eosTokenIds.includes(token);
  if (!complete) {
    tokens.push(token);
    if (logprob !== undefined) logprobs.push(logprob);
    complete = finished?.(tokens) ?? false;
    if (!complete && tokens.length < limit) return undefined;
  }
  const seconds = (performance.now() - began) / 1000;
  return { id: request.id, tokens, complete, ...(wanted ? { logprobs } : {}), seconds };
}

function tooLong({ id, prompt }: GenerationRequest, maxPositions: number) {
  const message = `Generated nothing for ${id}: its prompt of ${prompt.length} tokens fills the model's ${maxPositions} positions`;
  return { type: 'log', level: 'warn', message } as const;
}
