/** A lane in a thread of its own, with a copy of the weights. */

import type { Worker } from 'node:worker_threads';
import { type FlatError, reviveError } from '../foundation/flat-error.ts';
import { startWorker } from '../foundation/start-worker.ts';
import type { GenerationModel } from './decoder.ts';
import type { Lane, LaneOptions, LaneRequest, SampledToken } from './lane.ts';

/** What the thread is given. */
export interface LaneData {
  readonly model: GenerationModel;
  readonly options: LaneOptions;
}

/** What the thread is told; it answers `begin`, `step` and `release`, in the order in which they came. */
export type LaneOrder =
  | { readonly type: 'begin'; readonly place: number; readonly request: LaneRequest }
  | { readonly type: 'step' }
  | { readonly type: 'end'; readonly place: number }
  | { readonly type: 'release' }
  | { readonly type: 'stop' };

export type LaneAnswer =
  | { readonly type: 'done'; readonly tokens?: readonly (SampledToken | undefined)[] }
  | { readonly type: 'failed'; readonly error: FlatError };

type Tokens = readonly (SampledToken | undefined)[];

export class WorkerLane implements Lane {
  readonly places: number;
  private readonly worker: Worker;
  private readonly signal: AbortSignal;
  private readonly stop = () => this.tell({ type: 'stop' });
  /** Who waits for an answer, the first asked first. */
  private readonly waiting: { resolve: (tokens: Tokens) => void; reject: (error: Error) => void }[] = [];
  private failure: Error | undefined;

  constructor(model: GenerationModel, options: LaneOptions, signal: AbortSignal) {
    this.places = options.places;
    this.signal = signal;
    const data: LaneData = { model, options };
    this.worker = startWorker(new URL('./lane-worker', import.meta.url), data);
    this.worker.on('message', (answer: LaneAnswer) => {
      const { resolve, reject } = this.waiting.shift()!;
      if (answer.type === 'done') resolve(answer.tokens ?? []);
      else reject(reviveError(answer.error));
    });
    this.worker.once('error', (error) => this.fail(error));
    this.worker.once('exit', (code) => this.fail(new Error(`internal: a generating thread ended with code ${code}`)));
    if (signal.aborted) this.stop();
    signal.addEventListener('abort', this.stop);
  }

  async begin(place: number, request: LaneRequest): Promise<void> {
    await this.ask({ type: 'begin', place, request });
  }

  step(): Promise<Tokens> {
    return this.ask({ type: 'step' });
  }

  end(place: number): void {
    this.tell({ type: 'end', place });
  }

  async release(): Promise<void> {
    this.signal.removeEventListener('abort', this.stop);
    try {
      // A thread that is ended before its sessions are released can bring the process down.
      if (!this.failure) await this.ask({ type: 'release' });
    } finally {
      await this.worker.terminate();
    }
  }

  private tell(order: LaneOrder): void {
    this.worker.postMessage(order);
  }

  private ask(order: LaneOrder): Promise<Tokens> {
    return new Promise((resolve, reject) => {
      if (this.failure) reject(this.failure);
      else {
        this.waiting.push({ resolve, reject });
        this.tell(order);
      }
    });
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}
