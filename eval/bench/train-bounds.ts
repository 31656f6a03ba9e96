/**
 * Where a step's time goes, and how much of it its kernels would need at their own speed: products by their operations over
 * the speed of the same kernel alone, all other kernels by their fastest run. In seconds of all cores together: a session of
 * fewer threads than there are cores can have others beside it.
 */

import { availableParallelism } from 'node:os';
import type { KernelTime } from '../../src/train/kernel-times.ts';
import type { TrainingProfile } from '../../src/train/profile.ts';
import { fastestAlone } from './kernel-speed.ts';

/** Products that make up so much of the products' time are measured alone; the others are many and short. */
const MEASURED_SHARE = 0.97;

export interface OpBound {
  op: string;
  /** Seconds of all cores, of both steps. */
  seconds: number;
  /** Of the steps. */
  share: number;
  runs: number;
  gflop?: number;
  gflop_per_s?: number;
  /** At the kernel's own speed. */
  bound_s: number;
}

export interface StepBounds {
  /** Seconds of the two steps, without the building of graphs and without a profile being written. */
  seconds: number;
  /** The sum of all bounds, and the whole step over it. */
  bound_s: number;
  ratio: number;
  /** The same of products alone. */
  products_bound_s: number;
  ratio_products: number;
  threads: number;
  cores: number;
}

/** A run at its best: with all its session's threads, or in one thread while the other cores do the same. */
async function secondsOfAllCores(kernel: KernelTime, cores: number): Promise<number> {
  const together = (await fastestAlone(kernel, kernel.threads)) * Math.min(kernel.threads, cores);
  const single = kernel.threads === 1 ? together : await fastestAlone(kernel, 1);
  return Math.min(together, single) / cores / 1000;
}

/** @param seconds of the same two steps without a profile */
export async function boundsOf(
  { kernels }: TrainingProfile,
  seconds: number,
): Promise<{ profile: OpBound[]; profile_step: StepBounds }> {
  const cores = availableParallelism();
  const products = kernels.filter(({ flops }) => flops);
  const all = products.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const alone = new Map<KernelTime, number>();
  let measured = 0;
  for (const kernel of products) {
    if (measured > MEASURED_SHARE * all) break;
    measured += kernel.milliseconds;
    alone.set(kernel, await secondsOfAllCores(kernel, cores));
  }
  const ops = new Map<string, OpBound>();
  for (const kernel of kernels) {
    const { op, runs, milliseconds, fastest, threads, flops } = kernel;
    const sum = ops.get(op) ?? { op, seconds: 0, share: 0, runs: 0, bound_s: 0 };
    const ofAllCores = Math.min(threads, cores) / cores / 1000;
    sum.seconds += milliseconds * ofAllCores;
    sum.runs += runs;
    if (flops) sum.gflop = (sum.gflop ?? 0) + (runs * flops) / 1e9;
    sum.bound_s += runs * (alone.get(kernel) ?? fastest * ofAllCores);
    ops.set(op, sum);
  }
  const profile = [...ops.values()].sort((a, b) => b.seconds - a.seconds);
  const kernelSeconds = profile.reduce((sum, one) => sum + one.seconds, 0);
  profile.push({ op: 'outside of ops', seconds: Math.max(0, seconds - kernelSeconds), share: 0, runs: 0, bound_s: 0 });
  for (const one of profile) {
    one.share = one.seconds / seconds;
    if (one.gflop) one.gflop_per_s = one.gflop / one.seconds;
  }
  const bound_s = profile.reduce((sum, one) => sum + one.bound_s, 0);
  const products_bound_s = profile.reduce((sum, one) => sum + (one.gflop ? one.bound_s : 0), 0);
  const threads = Math.max(...kernels.map((kernel) => kernel.threads));
  const ratios = { ratio: seconds / bound_s, products_bound_s, ratio_products: seconds / products_bound_s };
  return { profile, profile_step: { seconds, bound_s, ...ratios, threads, cores } };
}
