/**
 * Runs tasks that do not wait for one another side by side: in this thread and in others, each with sessions of few threads.
 * Operators of a small model are over too soon to be divided among threads themselves: two threads in one operator took 7%
 * off a step, two lanes a third (docs/log.md). Which lane runs a task changes no bit of its outputs.
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
  /** Inputs of this task alone. */
  readonly feeds: Tensors;
  /** Where outputs are written to, by name; the others are new arrays. */
  readonly into?: Tensors;
}

export class Lanes {
  /** The sessions of this thread. */
  readonly here: GraphCache;
  private readonly others: readonly Lane[];
  private readonly graphs = new RecentlyUsed<EmittedGraph>(MOST_SESSIONS);

  /** @param count lanes in all, this thread included */
  constructor(settings: SessionSettings, count: number) {
    const threads = Math.max(1, Math.floor((settings.threads ?? availableParallelism()) / count));
    const own = count === 1 ? settings : { ...settings, threads };
    this.here = new GraphCache(own);
    this.others = Array.from({ length: count - 1 }, () => new Lane(own));
  }

  /**
   * Runs all tasks, in any order.
   *
   * @param done is called with each task's outputs in the order of the tasks, so that sums come out the same each time; after
   *   it, those that are not in the task's `into` are gone
   */
  async runAll(
    tasks: readonly GraphTask[],
    inputs: SharedInputs,
    done: (outputs: Readonly<Record<string, Tensor>>, index: number) => void = () => {},
  ): Promise<void> {
    const shared = { ...inputs.fixed, ...inputs.changing };
    if (this.others.length === 0 || tasks.length === 1) {
      for (const [i, { key, build, feeds, into }] of tasks.entries()) {
        const outputs = await this.here.run(key, build, { ...shared, ...feeds }, into);
        done(outputs, i);
        discard(passing(outputs, into));
      }
      return;
    }
    const graphs = tasks.map((task) => this.graphOf(task));
    const read = new Set(graphs.flatMap((graph) => graph.inputs));
    const changing = Object.fromEntries(Object.entries(inputs.changing).filter(([name]) => read.has(name)));
    const narrowed: SharedInputs = { fixed: inputs.fixed, changing };

    const outputs: (Readonly<Record<string, Tensor>> | undefined)[] = [];
    let finished = 0;
    const settle = (i: number, out: Readonly<Record<string, Tensor>>) => {
      outputs[i] = out;
      for (let ready = outputs[finished]; ready; ready = outputs[finished]) {
        outputs[finished] = undefined;
        done(ready, finished);
        discard(passing(ready, tasks[finished++]!.into));
      }
    };
    const crossing: Promise<void>[] = [];
    const order = largestFirst(tasks);
    let next = 0;
    const hand = () => {
      for (const lane of this.others) {
        // The last ones are left to this thread, which would otherwise wait for a lane's queue.
        while (lane.isReady && lane.pending < DEPTH && tasks.length - next > lane.pending) {
          const i = order[next++]!;
          const { key, feeds, into = {} } = tasks[i]!;
          const run = lane.run(key, graphs[i]!, narrowed, feeds).then((out) => {
            settle(i, written(out, into));
            hand();
          });
          // Looked at below; until then it is not an error that nobody saw.
          run.catch(() => {});
          crossing.push(run);
        }
      }
    };
    hand();
    try {
      while (next < tasks.length) {
        const i = order[next++]!;
        const { key, feeds, into } = tasks[i]!;
        settle(i, await this.here.run(key, () => graphs[i]!, { ...shared, ...feeds }, into));
        hand();
      }
    } finally {
      await settled(crossing);
    }
    await Promise.all(crossing);
  }

  /** Waits until all lanes take tasks; before, those that are up do the work. */
  async started(): Promise<void> {
    await Promise.all(this.others.map(({ started }) => started));
  }

  async release(): Promise<void> {
    await this.here.release();
    for (const lane of this.others) await lane.release();
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

/** Small tasks at the end leave the lanes little to wait for. What a task reads tells how long it takes. */
function largestFirst(tasks: readonly GraphTask[]): number[] {
  const size = ({ feeds }: GraphTask) => Object.values(feeds).reduce((sum, { data }) => sum + data.length, 0);
  const sizes = tasks.map(size);
  return tasks.map((_, i) => i).sort((a, b) => sizes[b]! - sizes[a]!);
}

/** Waits for a list of promises that may grow while it is waited for. */
async function settled(promises: readonly Promise<void>[]): Promise<void> {
  for (let seen = 0; seen < promises.length; ) {
    seen = promises.length;
    await Promise.allSettled(promises);
  }
}

/** The outputs that were not written to a place. */
function passing(outputs: Tensors, into: Tensors = {}): Tensor[] {
  return Object.entries(outputs).flatMap(([name, output]) => (into[name] ? [] : [output]));
}

/** Moves outputs to the places where they belong. */
function written(outputs: Record<string, Tensor>, into: Tensors): Record<string, Tensor> {
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
