/** How fast the machine is at a product where all its cores work at that product and nothing else. */

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '../../src/foundation/start-worker.ts';
import type { KernelTime } from '../../src/train/kernel-times.ts';
import { kernelRun } from './kernel-run.ts';
import type { KernelWorkerData } from './kernel-worker.ts';

export class KernelSpeed {
  readonly cores = availableParallelism();
  private readonly workers: readonly Worker[];

  constructor() {
    const workerData: KernelWorkerData = { ready: new SharedArrayBuffer(4), threads: this.cores };
    this.workers = Array.from({ length: this.cores }, () =>
      startWorker(new URL('./kernel-worker', import.meta.url), workerData),
    );
  }

  /**
   * Seconds of all cores that a run takes: one run in each core at once, or one run in all of its session's threads, whichever is
   * faster. One core alone would be faster than the machine is: cores share memory and the cache.
   */
  async secondsOfAllCores(kernel: KernelTime): Promise<number> {
    const each = await Promise.all(
      this.workers.map(async (worker) => {
        worker.postMessage(kernel);
        const [milliseconds] = (await once(worker, 'message')) as [number];
        return milliseconds;
      }),
    );
    const single = each.reduce((sum, milliseconds) => sum + milliseconds, 0) / this.cores;
    const threads = Math.min(kernel.threads, this.cores);
    const together = threads === 1 ? single : threads * (await kernelRun(kernel, kernel.threads));
    return Math.min(together, single) / this.cores / 1000;
  }

  release(): void {
    for (const worker of this.workers) worker.postMessage('end');
  }
}
