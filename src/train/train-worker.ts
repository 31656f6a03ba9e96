/** The thread of train-in-worker.ts: trains the student it is given, and tells how that goes. */

import { parentPort, workerData } from 'node:worker_threads';
import { flattenError } from '../foundation/flat-error.ts';
import { trainStudent } from './train.ts';
import type { WorkerJob, WorkerNews, WorkerOrder } from './train-in-worker.ts';

const abort = new AbortController();
const tell = (news: WorkerNews) => parentPort!.postMessage(news);

parentPort!.on('message', (order: WorkerOrder) => {
  if (order === 'stop') abort.abort();
});

try {
  const { job } = workerData as WorkerJob;
  await trainStudent(job, { emit: (event) => tell({ type: 'event', event }), signal: abort.signal });
  tell({ type: 'done' });
} catch (error) {
  tell({ type: 'failed', error: flattenError(error) });
}
