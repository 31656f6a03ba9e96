/** Starts a module of this package in a thread of its own, from `dist` or from the sources. */

import { Worker } from 'node:worker_threads';

/**
 * @param module address of the module without its ending, as `new URL('./train-worker', import.meta.url)` gives it
 * @param workerData what the thread is given; it is copied
 */
export function startWorker(module: URL, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`${module.href}.js`), { workerData });
  // From the sources, a thread needs a loader of its own.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(`${module.href}.ts`);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { workerData, eval: true, execArgv: [] });
}
