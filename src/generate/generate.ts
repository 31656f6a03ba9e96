/** Generates many responses: sequences share the batch, and whoever ends leaves its place to the next. */

import type { Emit } from '../foundation/events.ts';
import { randomStream } from '../foundation/random.ts';
import type { GenerationSettings } from '../recipe/schema.ts';
import { Decoder, type GenerationModel, type PlaceInput } from './decoder.ts';
import { sampleToken } from './sample-token.ts';

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
}

interface Sequence {
  readonly request: GenerationRequest;
  readonly tokens: number[];
  readonly seen: Set<number>;
  readonly logprobs: number[];
  /** Most tokens it may have. */
  readonly limit: number;
  readonly began: number;
}

/**
 * Yields each response as it ends. A response depends on model, prompt, seed and options alone: neither the other requests
 * nor their order change a token of it. Requests that begin alike (those of one document) should stand next to one
 * another: their common beginning is then encoded once.
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
  const { config } = model.model;
  const waiting = requests.values();
  const places = new Array<Sequence | undefined>(options.batch).fill(undefined);
  const decoder = new Decoder(model, options.batch);
  try {
    for (;;) {
      for (let place = 0; place < places.length; place++) {
        while (!places[place]) {
          const { value: request, done } = waiting.next();
          if (done) break;
          const limit = Math.min(options.maxTokens, config.maxPositions - request.prompt.length);
          if (limit <= 0) {
            context.emit?.(tooLong(request, config.maxPositions));
            yield { id: request.id, tokens: [], complete: false, seconds: 0 };
            continue;
          }
          const began = performance.now();
          await decoder.begin(place, request.prompt, limit, context.signal);
          places[place] = {
            request,
            tokens: [],
            seen: new Set(options.penalizePrompt ? request.prompt : []),
            logprobs: [],
            limit,
            began,
          };
        }
      }
      if (places.every((sequence) => !sequence)) return;
      const logits = await decoder.step(places.map(nextInput), context.signal);
      for (const [place, sequence] of places.entries()) {
        if (!sequence) continue;
        const row = logits.subarray(place * config.vocabSize, (place + 1) * config.vocabSize);
        const ended = advance(sequence, row, options, context);
        if (!ended) continue;
        places[place] = undefined;
        yield ended;
      }
    }
  } finally {
    await decoder.release();
  }
}

/** The token that a sequence feeds next: the last it has. */
function nextInput(sequence: Sequence | undefined): PlaceInput | undefined {
  if (!sequence) return undefined;
  const { request, tokens } = sequence;
  const token = tokens[tokens.length - 1] ?? request.prompt[request.prompt.length - 1];
  if (token === undefined) throw new TypeError(`internal: request ${request.id} has an empty prompt`);
  return { token, position: request.prompt.length + tokens.length - 1 };
}

/** Adds the next token; the response where that was its last. */
function advance(
  { request, tokens, seen, logprobs, limit, began }: Sequence,
  logits: Float32Array,
  options: GenerationSettings,
  { eosTokenIds, finished, logprobs: wanted = false }: GenerationContext,
): Generated | undefined {
  // Sampling overwrites the logits.
  const raw = wanted ? logits.slice() : undefined;
  const token = sampleToken(logits, seen, options, randomStream(request.seed, tokens.length));
  let complete = eosTokenIds.includes(token);
  if (!complete) {
    tokens.push(token);
    if (raw) logprobs.push(logProbability(raw, token));
    seen.add(token);
    complete = finished?.(tokens) ?? false;
    if (!complete && tokens.length < limit) return undefined;
  }
  const seconds = (performance.now() - began) / 1000;
  return { id: request.id, tokens, complete, ...(wanted ? { logprobs } : {}), seconds };
}

/** log softmax: z_t - log sum_v e^(z_v). */
function logProbability(logits: Float32Array, token: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const z of logits) if (z > top) top = z;
  let sum = 0;
  for (const z of logits) sum += Math.exp(z - top);
  return logits[token]! - top - Math.log(sum);
}

function tooLong({ id, prompt }: GenerationRequest, maxPositions: number) {
  const message = `Generated nothing for ${id}: its prompt of ${prompt.length} tokens fills the model's ${maxPositions} positions`;
  return { type: 'log', level: 'warn', message } as const;
}
