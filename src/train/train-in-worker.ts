/**
 * Trains a student in a thread of its own: onnxruntime's runs block the thread that asks for them, and the main one is to
 * draw the screen and hear Ctrl-C. Weights are loaded in there and never cross over; only the job, events and the stop do.
 */

import { Worker } from 'node:worker_threads';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunEvent } from '../foundation/events.ts';
import type { RunContext } from '../foundation/run-context.ts';
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

/** An error without its class, which does not cross threads. */
export interface FlatError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly hint?: string | undefined;
}

/** `trainStudent` in a worker thread. @throws what that throws */
export async function trainInWorker(job: StudentJob, { emit, signal }: RunContext): Promise<void> {
  const worker = startWorker({ job });
  const stop = () => worker.postMessage('stop' satisfies WorkerOrder);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (news: WorkerNews) => {
        if (news.type === 'event') emit(news.event);
        else if (news.type === 'done') resolve();
        else reject(revive(news.error));
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`internal: the training thread ended with code ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

function startWorker(workerData: WorkerJob): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./train-worker.js', import.meta.url), { workerData });
  // From the sources, a thread needs a loader of its own.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(new URL('./train-worker.ts', import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { workerData, eval: true, execArgv: [] });
}

function revive({ name, message, stack, hint }: FlatError): Error {
  if (name === 'InterruptedError') return new InterruptedError(message);
  if (name === 'UserError') return new UserError(message, hint);
  return Object.assign(new Error(message), { name, stack });
}
