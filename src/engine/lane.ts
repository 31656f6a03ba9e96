/** A thread that runs graphs beside the engine's own, and what it holds: sessions, copies of the weights. */

import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../foundation/start-worker.ts';
import type { Tensor } from '../graph/value.ts';
import type { EmittedGraph } from '../onnx/emit.ts';
import type { SessionSettings } from '../onnx/session.ts';
import { MOST_SESSIONS } from './graph-cache.ts';
import { RecentlyUsed } from './recently-used.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

/** One run of a graph, as the thread is told. Memory in it is a copy that now belongs to the thread. */
export interface LaneOrder {
  readonly run: number;
  readonly key: string;
  /** The graph's model file, where the thread has no session of that key. */
  readonly bytes?: Uint8Array;
  /** Weights for the thread to keep. */
  readonly kept: readonly (readonly [id: number, tensor: Tensor])[];
  /** Which of the kept weights the graph reads, by input. */
  readonly fixed: Readonly<Record<string, number>>;
  /** The set of changing inputs that the graph reads, and its tensors where the thread does not hold that set. */
  readonly changing?: { readonly set: string; readonly tensors?: Tensors };
  readonly feeds: Tensors;
}

export type LaneNews =
  | 'started'
  | { readonly run: number; readonly outputs: Record<string, Tensor> }
  | { readonly run: number; readonly error: string };

/** Inputs that the tasks of one call share. */
export interface SharedInputs {
  /** Never written to as long as the lanes live: a lane copies them once. */
  readonly fixed: Tensors;
  /** Copied for each object of shared inputs. */
  readonly changing: Tensors;
}

/** Sets of changing inputs that a thread holds: those of the two halves of a layer, or of neighbours, are in use by turns. */
export const MOST_CHANGING = 2;

interface Waiting {
  readonly resolve: (outputs: Record<string, Tensor>) => void;
  readonly reject: (error: Error) => void;
}

export class Lane {
  private readonly worker: Worker;
  /** Resolved when the thread has loaded its modules. */
  readonly started: Promise<void>;
  private isStarted = false;
  private isReleased = false;
  private readonly waiting = new Map<number, Waiting>();
  private runs = 0;
  private keptTensors = 0;
  /** Ids of the weights that the thread keeps, by memory and place in it. */
  private readonly ids = new WeakMap<ArrayBufferLike, Map<string, number>>();
  /** The keys of the thread's sessions: it holds as many, and lets go of them in the same order. */
  private readonly keys = new RecentlyUsed<true>(MOST_SESSIONS);
  private readonly sets = new WeakMap<SharedInputs, string>();
  private setsMade = 0;
  private readonly held = new RecentlyUsed<true>(MOST_CHANGING);

  constructor(settings: SessionSettings) {
    const worker = startWorker(new URL('./lane-worker', import.meta.url), settings);
    this.worker = worker;
    const end = (error: Error) => {
      // A thread that is gone takes no run and hears no order to end.
      this.isStarted = false;
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    };
    this.started = new Promise((resolve) => {
      worker.on('message', (news: LaneNews) => {
        if (news === 'started') {
          this.isStarted = true;
          worker.unref();
          resolve();
        } else this.settle(news);
      });
    });
    worker.once('error', end);
    worker.once('exit', (code) => end(new Error(`internal: a thread of the engine ended with code ${code}`)));
    // An engine that nobody releases does not keep the process alive; a run that somebody waits for does.
    worker.unref();
  }

  /** Whether runs would begin at once: until then they are better done elsewhere. */
  get isReady(): boolean {
    return this.isStarted && !this.isReleased;
  }

  /** Runs that were ordered and are not over. */
  get pending(): number {
    return this.waiting.size;
  }

  /**
   * Runs a graph in the thread.
   *
   * @param inputs the same object for all tasks of a call
   * @returns the graph's outputs, in memory of their own
   */
  run(key: string, graph: EmittedGraph, inputs: SharedInputs, feeds: Tensors): Promise<Record<string, Tensor>> {
    const transfer: ArrayBuffer[] = [];
    const copy = ({ dtype, shape, data }: Tensor): Tensor => {
      const own = data.slice();
      transfer.push(own.buffer as ArrayBuffer);
      return { dtype, shape, data: own };
    };
    const copies = (tensors: Tensors): Tensors =>
      Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, copy(tensor)]));
    const isKnown = this.keys.get(key) !== undefined;
    if (!isKnown) this.keys.add(key, true);
    const kept: [number, Tensor][] = [];
    const fixed: Record<string, number> = {};
    for (const [name, tensor] of Object.entries(inputs.fixed)) {
      if (!graph.inputs.includes(name)) continue;
      const { id, isNew } = this.idOf(tensor);
      fixed[name] = id;
      if (isNew) kept.push([id, copy(tensor)]);
    }
    const run = this.runs++;
    const order: LaneOrder = {
      run,
      key,
      ...(isKnown ? {} : { bytes: graph.bytes }),
      kept,
      fixed,
      ...(Object.keys(inputs.changing).length === 0 ? {} : { changing: this.changingOf(inputs, copies) }),
      feeds: copies(feeds),
    };
    const { worker } = this;
    worker.ref();
    return new Promise((resolve, reject) => {
      this.waiting.set(run, { resolve, reject });
      worker.postMessage(order, transfer);
    });
  }

  /** Ends the thread. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    const { worker } = this;
    if (!this.isStarted) {
      await worker.terminate();
      return;
    }
    worker.ref();
    worker.postMessage('release');
    await once(worker, 'exit');
  }

  private settle(news: Exclude<LaneNews, 'started'>): void {
    const { resolve, reject } = this.waiting.get(news.run)!;
    this.waiting.delete(news.run);
    if (this.pending === 0) this.worker.unref();
    if ('error' in news) reject(new Error(news.error));
    else resolve(news.outputs);
  }

  private changingOf(inputs: SharedInputs, copies: (tensors: Tensors) => Tensors): { set: string; tensors?: Tensors } {
    const set = this.sets.get(inputs) ?? String(this.setsMade++);
    this.sets.set(inputs, set);
    if (this.held.get(set)) return { set };
    this.held.add(set, true);
    return { set, tensors: copies(inputs.changing) };
  }

  private idOf({ data }: Tensor): { id: number; isNew: boolean } {
    const places = this.ids.get(data.buffer) ?? new Map<string, number>();
    this.ids.set(data.buffer, places);
    const place = `${data.byteOffset} ${data.length}`;
    const known = places.get(place);
    if (known !== undefined) return { id: known, isNew: false };
    const id = this.keptTensors++;
    places.set(place, id);
    return { id, isNew: true };
  }
}
