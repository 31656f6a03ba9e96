/**
 * Runs tasks side by side as soon as what they read is there: in this thread and in others, each with sessions of few threads.
 * Operators of a small model are over too soon to be divided among threads themselves: two threads in one operator took 7%
 * off a step, two lanes a third (docs/log.md). Which lane runs a task, and when, changes no bit of its outputs.
 */

import { availableParallelism } from 'node:os';
import type { Tensor } from '../graph/value.ts';
import type { GraphPart } from '../model/layer-graphs.ts';
import { discard } from '../onnx/discard.ts';
import { type EmittedGraph, emitGraph } from '../onnx/emit.ts';
import type { SessionSettings } from '../onnx/session.ts';
import { GraphCache, MOST_SESSIONS } from './graph-cache.ts';
import { Lane, type SharedInputs, type Tensors } from './lane.ts';
import { RecentlyUsed } from './recently-used.ts';

/** Runs that wait at a lane, the one it is at included: two more, so that it goes on while this thread is in a run of its own. */
const DEPTH = 3;

/** One run of a graph. */
export interface GraphTask {
  readonly key: string;
  readonly build: () => GraphPart;
  /** What is to be there before the task reads its feeds. */
  readonly after?: readonly Promise<void>[];
  /** Inputs of this task alone, asked for when they are all there. */
  readonly feeds: () => Tensors;
  /** Where outputs are written to, by name; the others are new arrays. */
  readonly into?: Tensors;
}

/** Of each task of a call. A failure is in all promises that wait for it. */
export interface StartedTasks {
  /** When its outputs are where they belong. */
  readonly placed: readonly Promise<void>[];
  /** When it is summed, and all before it. */
  readonly summed: readonly Promise<void>[];
}

interface ReadyTask {
  readonly task: GraphTask;
  readonly inputs: SharedInputs;
  readonly resolve: (outputs: Tensors) => void;
  readonly reject: (error: Error) => void;
}

export class Lanes {
  /** The sessions of this thread. */
  readonly here: GraphCache;
  private readonly others: readonly Lane[];
  private readonly graphs = new RecentlyUsed<EmittedGraph>(MOST_SESSIONS);
  /** Tasks that could run, in the order in which they could. */
  private readonly ready: ReadyTask[] = [];
  private readonly unfinished = new Set<Promise<unknown>>();
  private isWorking = false;

  /** @param count lanes in all, this thread included */
  constructor(settings: SessionSettings, count: number) {
    const threads = Math.max(1, Math.floor((settings.threads ?? availableParallelism()) / count));
    const own = count === 1 ? settings : { ...settings, threads };
    this.here = new GraphCache(own);
    this.others = Array.from({ length: count - 1 }, (_, i) => new Lane(profiledApart(own, i)));
  }

  /**
   * Runs each task once what it waits for is there.
   *
   * @param sum is called with each task's outputs in the order of the tasks, so that sums come out the same each time; after
   *   it, those that are not in the task's `into` are gone
   */
  start(
    tasks: readonly GraphTask[],
    inputs: SharedInputs,
    sum: (outputs: Tensors, index: number) => void = () => {},
  ): StartedTasks {
    const narrowed = this.others.length === 0 ? inputs : this.narrowed(tasks, inputs);
    const placed: Promise<void>[] = [];
    const summed: Promise<void>[] = [];
    for (const [i, task] of tasks.entries()) {
      const outputs = this.run(task, narrowed);
      placed.push(this.watched(outputs.then(() => {})));
      const add = async () => {
        await summed[i - 1];
        const out = await outputs;
        sum(out, i);
        discard(Object.entries(out).flatMap(([name, output]) => (task.into?.[name] ? [] : [output])));
      };
      summed.push(this.watched(add()));
    }
    return { placed, summed };
  }

  /** Runs all tasks to their end. @param sum as in `start` */
  async runAll(
    tasks: readonly GraphTask[],
    inputs: SharedInputs,
    sum?: (outputs: Tensors, index: number) => void,
  ): Promise<void> {
    const { summed } = this.start(tasks, inputs, sum);
    await this.settled(Promise.all(summed));
  }

  /** A promise that somebody will wait for in time: `settled` counts it, and its failure is not one that nobody saw. */
  watched<T>(promise: Promise<T>): Promise<T> {
    this.unfinished.add(promise);
    promise.finally(() => this.unfinished.delete(promise)).catch(() => {});
    return promise;
  }

  /** Waits for what started tasks lead to. Where one fails, nothing that was started is still at work when this throws. */
  async settled<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      while (this.unfinished.size > 0) await Promise.allSettled(this.unfinished);
      throw error;
    }
  }

  /** Waits until all lanes take tasks; before, those that are up do the work. */
  async started(): Promise<void> {
    await Promise.all(this.others.map(({ started }) => started));
  }

  async release(): Promise<void> {
    await this.here.release();
    for (const lane of this.others) await lane.release();
  }

  private async run(task: GraphTask, inputs: SharedInputs): Promise<Tensors> {
    await Promise.all(task.after ?? []);
    return new Promise((resolve, reject) => {
      this.ready.push({ task, inputs, resolve, reject });
      // All tasks that become ready together are seen before the first is handed out.
      queueMicrotask(() => this.handOut());
    });
  }

  private handOut(): void {
    for (const lane of this.others) {
      // The last ones are left to this thread, which would otherwise wait for a lane's queue.
      while (lane.isReady && lane.pending < DEPTH && this.ready.length > lane.pending) {
        const { task, inputs, resolve, reject } = this.ready.shift()!;
        lane
          .run(task.key, this.graphOf(task), inputs, task.feeds())
          .then((outputs) => resolve(written(outputs, task.into)), reject)
          .finally(() => this.handOut());
      }
    }
    if (!this.isWorking && this.ready.length > 0) this.work();
  }

  /** Runs tasks in this thread for as long as there are any. */
  private async work(): Promise<void> {
    this.isWorking = true;
    for (let next = this.ready.shift(); next; next = this.ready.shift()) {
      const { task, inputs, resolve, reject } = next;
      const build = this.others.length === 0 ? task.build : () => this.graphOf(task);
      try {
        resolve(
          await this.here.run(task.key, build, { ...inputs.fixed, ...inputs.changing, ...task.feeds() }, task.into),
        );
      } catch (error) {
        reject(error as Error);
      }
      this.handOut();
    }
    this.isWorking = false;
  }

  /** The inputs without what none of the tasks reads: what changes is copied for each lane. */
  private narrowed(tasks: readonly GraphTask[], { fixed, changing }: SharedInputs): SharedInputs {
    const read = new Set(tasks.flatMap((task) => this.graphOf(task).inputs));
    return { fixed, changing: Object.fromEntries(Object.entries(changing).filter(([name]) => read.has(name))) };
  }

  private graphOf({ key, build }: GraphTask): EmittedGraph {
    const known = this.graphs.get(key);
    if (known) return known;
    const { g, outputs, given } = build();
    const graph = emitGraph(g, outputs, given);
    this.graphs.add(key, graph);
    return graph;
  }
}

/** Each lane numbers its sessions: their profiles are told apart by the lane's name in the prefix. */
function profiledApart(settings: SessionSettings, lane: number): SessionSettings {
  return settings.profile === undefined ? settings : { ...settings, profile: `${settings.profile}-lane${lane}` };
}

/** Moves outputs to the places where they belong. */
function written(outputs: Record<string, Tensor>, into: Tensors = {}): Record<string, Tensor> {
  for (const [name, place] of Object.entries(into)) {
    const from = outputs[name];
    if (!from) continue;
    // Places have the type of what is written to them.
    (place.data as Float32Array).set(from.data as Float32Array);
    discard([from]);
    outputs[name] = place;
  }
  return outputs;
}
