/** A lane: some places of the batch, with a decoder of their own. Lanes work side by side and know nothing of one another. */

import { randomStream } from '../foundation/random.ts';
import { Decoder, type GenerationModel, type PlaceInput } from './decoder.ts';
import { type SamplingSettings, sampleToken } from './sample-token.ts';

/** How all sequences of a lane are written. */
export interface LaneOptions extends SamplingSettings {
  readonly places: number;
  /** The repetition penalty counts the prompt's tokens as seen. */
  readonly penalizePrompt: boolean;
  /** Whether sampled tokens come with their log-probabilities. */
  readonly logprobs: boolean;
}

export interface LaneRequest {
  /** Token ids, at least one. */
  readonly prompt: readonly number[];
  /** Names the sequence's randomness. */
  readonly seed: string;
  /** Most tokens that may follow. */
  readonly limit: number;
}

export interface SampledToken {
  readonly token: number;
  /** Nats, before penalties and temperature; where they were asked for. */
  readonly logprob?: number;
}

/** The seam between the loop over sequences and where their tokens are made: in this thread or in another. */
export interface Lane {
  readonly places: number;
  /** Starts a sequence in a place that holds none. @throws InterruptedError */
  begin(place: number, request: LaneRequest): Promise<void>;
  /** The next token of each place that holds a sequence, by place. @throws InterruptedError, within a step */
  step(): Promise<readonly (SampledToken | undefined)[]>;
  /** Ends the sequence of a place. */
  end(place: number): void;
  release(): Promise<void>;
}

interface Sequence extends LaneRequest {
  readonly tokens: number[];
  readonly seen: Set<number>;
}

/** A lane that works in the thread of its caller. */
export class LocalLane implements Lane {
  readonly places: number;
  private readonly options: LaneOptions;
  private readonly signal: AbortSignal;
  private readonly decoder: Decoder;
  private readonly vocabSize: number;
  private readonly sequences: (Sequence | undefined)[];

  constructor(model: GenerationModel, options: LaneOptions, signal: AbortSignal) {
    this.options = options;
    this.places = options.places;
    this.signal = signal;
    this.decoder = new Decoder(model, options.places);
    this.vocabSize = model.model.config.vocabSize;
    this.sequences = new Array<Sequence | undefined>(options.places).fill(undefined);
  }

  async begin(place: number, request: LaneRequest): Promise<void> {
    if (request.prompt.length === 0) throw new TypeError(`internal: the prompt of ${request.seed} is empty`);
    await this.decoder.begin(place, request.prompt, request.limit, this.signal);
    const seen = new Set(this.options.penalizePrompt ? request.prompt : []);
    this.sequences[place] = { ...request, tokens: [], seen };
  }

  async step(): Promise<(SampledToken | undefined)[]> {
    const logits = await this.decoder.step(this.sequences.map(nextInput), this.signal);
    return this.sequences.map((sequence, place) => {
      if (!sequence) return undefined;
      return this.sample(sequence, logits.subarray(place * this.vocabSize, (place + 1) * this.vocabSize));
    });
  }

  end(place: number): void {
    this.sequences[place] = undefined;
  }

  release(): Promise<void> {
    return this.decoder.release();
  }

  private sample({ seed, tokens, seen }: Sequence, logits: Float32Array): SampledToken {
    // Sampling overwrites the logits.
    const raw = this.options.logprobs ? logits.slice() : undefined;
    const token = sampleToken(logits, seen, this.options, randomStream(seed, tokens.length));
    tokens.push(token);
    seen.add(token);
    return { token, ...(raw && { logprob: logProbability(raw, token) }) };
  }
}

/** The token that a sequence feeds next: the last it has. */
function nextInput(sequence: Sequence | undefined): PlaceInput | undefined {
  if (!sequence) return undefined;
  const { prompt, tokens } = sequence;
  const token = tokens[tokens.length - 1] ?? prompt[prompt.length - 1]!;
  return { token, position: prompt.length + tokens.length - 1 };
}

/** log softmax: z_t - log sum_v e^(z_v). */
function logProbability(logits: Float32Array, token: number): number {
  let top = Number.NEGATIVE_INFINITY;
  for (const z of logits) if (z > top) top = z;
  let sum = 0;
  for (const z of logits) sum += Math.exp(z - top);
  return logits[token]! - top - Math.log(sum);
}
