/** A thread that times kernels as it is told, each time together with all other threads of its kind. */

import { parentPort, workerData } from 'node:worker_threads';
import type { KernelTime } from '../../src/train/kernel-times.ts';
import { kernelRun } from './kernel-run.ts';

export interface KernelWorkerData {
  /** One number, zero at first: threads that have been ready so far, over all kernels. */
  readonly ready: SharedArrayBuffer;
  readonly threads: number;
}

const { ready, threads } = workerData as KernelWorkerData;
const count = new Int32Array(ready);
let kernels = 0;

/** Waits until all threads are here, without sleep: they are to begin at the same moment. */
function meet(): void {
  kernels++;
  Atomics.add(count, 0, 1);
  while (Atomics.load(count, 0) < kernels * threads);
}

parentPort!.on('message', async (kernel: KernelTime | 'end') => {
  if (kernel === 'end') parentPort!.close();
  else parentPort!.postMessage(await kernelRun(kernel, 1, meet));
});
