/** The thread of worker-lane.ts: a lane that does what it is told, one order after another. */

import { parentPort, workerData } from 'node:worker_threads';
import { flattenError } from '../foundation/flat-error.ts';
import { LocalLane, type SampledToken } from './lane.ts';
import type { LaneAnswer, LaneData, LaneOrder } from './worker-lane.ts';

const abort = new AbortController();
const { model, options } = workerData as LaneData;
const lane = new LocalLane(model, options, abort.signal);
const tell = (answer: LaneAnswer) => parentPort!.postMessage(answer);
let last: Promise<void> = Promise.resolve();

parentPort!.on('message', (order: LaneOrder) => {
  if (order.type === 'stop') abort.abort();
  else last = last.then(() => answer(order));
});

async function answer(order: Exclude<LaneOrder, { type: 'stop' }>): Promise<void> {
  if (order.type === 'end') {
    lane.end(order.place);
    return;
  }
  try {
    const tokens: readonly (SampledToken | undefined)[] | undefined = await obey(order);
    tell({ type: 'done', ...(tokens && { tokens }) });
  } catch (error) {
    tell({ type: 'failed', error: flattenError(error) });
  }
}

async function obey(order: Exclude<LaneOrder, { type: 'stop' | 'end' }>) {
  if (order.type === 'step') return lane.step();
  if (order.type === 'begin') await lane.begin(order.place, order.request);
  else await lane.release();
  return undefined;
}
