/** Loaded before a program: when that ends, the delays of its main thread's event loop are in the file MGA_LOOP_DELAY. */

import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const path = process.env.MGA_LOOP_DELAY;
if (path !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  // Nanoseconds become milliseconds.
  process.on('exit', () => writeFileSync(path, JSON.stringify({ p99_ms: delay.percentile(99) / 1e6 })));
}
