/** The thread of a Lane: runs graphs as it is told, one after another. */

import { parentPort, workerData } from 'node:worker_threads';
import type { Tensor } from '../graph/value.ts';
import { discard } from '../onnx/discard.ts';
import type { SessionSettings } from '../onnx/session.ts';
import { GraphCache } from './graph-cache.ts';
import { type LaneNews, type LaneOrder, MOST_CHANGING, type Tensors } from './lane.ts';
import { RecentlyUsed } from './recently-used.ts';

const cache = new GraphCache(workerData as SessionSettings);
const kept = new Map<number, Tensor>();
const changing = new RecentlyUsed<Tensors>(MOST_CHANGING);

/** The changing inputs of an order; what they push out is gone. */
function changingOf({ changing: wanted }: LaneOrder): Tensors {
  if (!wanted) return {};
  if (wanted.tensors) discard(Object.values(changing.add(wanted.set, wanted.tensors) ?? {}));
  return changing.get(wanted.set)!;
}

async function answer(order: LaneOrder): Promise<void> {
  const { run, key, bytes } = order;
  for (const [id, tensor] of order.kept) kept.set(id, tensor);
  const fixed = Object.fromEntries(Object.entries(order.fixed).map(([name, id]) => [name, kept.get(id)!]));
  try {
    const build = () => {
      if (!bytes) throw new TypeError(`internal: the graph ${key} did not come along`);
      return { bytes };
    };
    const outputs = await cache.run(key, build, { ...fixed, ...changingOf(order), ...order.feeds });
    const memory = Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer);
    parentPort!.postMessage({ run, outputs } satisfies LaneNews, memory);
    discard(Object.values(order.feeds));
  } catch (error) {
    parentPort!.postMessage({ run, error: (error as Error).message } satisfies LaneNews);
  }
}

let last = Promise.resolve();
parentPort!.on('message', (order: LaneOrder | 'release') => {
  last = last.then(async () => {
    if (order !== 'release') return answer(order);
    await cache.release();
    parentPort!.close();
  });
});
parentPort!.postMessage('started' satisfies LaneNews);
