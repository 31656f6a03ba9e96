/** Sessions by kind and shape. They hold no weights, so many are cheap; the least recently used go when there are too many. */

import type { Tensor } from '../graph/value.ts';
import type { OpenGraph } from '../model/decode-graphs.ts';
import type { GraphPart } from '../model/layer-graphs.ts';
import { emitGraph } from '../onnx/emit.ts';
import { createSession, type Session, type SessionSettings } from '../onnx/session.ts';
import { RecentlyUsed } from './recently-used.ts';

/** Each session has a thread pool of its own: a bound on sleeping threads more than on memory. */
export const MOST_SESSIONS = 256;

export class GraphCache {
  private readonly sessions = new RecentlyUsed<Promise<Session>>(MOST_SESSIONS);
  private readonly settings: SessionSettings;
  /** Seconds spent building graphs and sessions, for the benchmark. */
  buildSeconds = 0;
  private built = 0;
  /** Milliseconds by kind of graph (the key up to its first space). */
  readonly spent = new Map<string, number>();

  constructor(settings: SessionSettings) {
    this.settings = settings;
  }

  /** Runs the graph called `key`, building it the first time. Outputs named in `into` are written there. */
  async run(
    key: string,
    build: () => GraphPart | OpenGraph,
    feeds: Record<string, Tensor>,
    into?: Record<string, Tensor>,
  ): Promise<Record<string, Tensor>> {
    const session = await this.session(key, build);
    const start = performance.now();
    const outputs = await session.run(feeds, into);
    const kind = key.slice(0, key.indexOf(' '));
    this.spent.set(kind, (this.spent.get(kind) ?? 0) + performance.now() - start);
    return outputs;
  }

  private async session(key: string, build: () => GraphPart | OpenGraph): Promise<Session> {
    const known = this.sessions.get(key);
    if (known) return known;
    const start = performance.now();
    const graph = build();
    const settings = this.settings.profile
      ? { ...this.settings, profile: `${this.settings.profile}-${this.built++}` }
      : this.settings;
    const { bytes } = 'bytes' in graph ? graph : emitGraph(graph.g, graph.outputs, graph.given);
    const session = createSession(bytes, settings);
    await session;
    this.buildSeconds += (performance.now() - start) / 1000;
    await (await this.sessions.add(key, session))?.release();
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.sessions.values()) await (await session).release();
    this.sessions.clear();
  }
}
