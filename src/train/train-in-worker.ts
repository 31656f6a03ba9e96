/**
 * Trains a student in a thread of its own: onnxruntime's runs block the thread that asks for them, and the main one is to
 * draw the screen and hear Ctrl-C. Weights are loaded in there and never cross over; only the job, events and the stop do.
 */

import type { RunEvent } from '../foundation/events.ts';
import { type FlatError, reviveError } from '../foundation/flat-error.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { startWorker } from '../foundation/start-worker.ts';
import type { StudentJob } from './train.ts';

/** What the thread is given. */
export interface WorkerJob {
  readonly job: StudentJob;
}

/** What the thread is told later. */
export type WorkerOrder = 'stop';

/** What the thread tells: events, and at last how it ended. */
export type WorkerNews =
  | { readonly type: 'event'; readonly event: RunEvent }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: FlatError };

/** `trainStudent` in a worker thread. @throws what that throws */
export async function trainInWorker(job: StudentJob, { emit, signal }: RunContext): Promise<void> {
  const worker = startWorker(new URL('./train-worker', import.meta.url), { job } satisfies WorkerJob);
  const stop = () => worker.postMessage('stop' satisfies WorkerOrder);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (news: WorkerNews) => {
        if (news.type === 'event') emit(news.event);
        else if (news.type === 'done') resolve();
        else reject(reviveError(news.error));
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`internal: the training thread ended with code ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
