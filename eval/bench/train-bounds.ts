/**
 * Where the time of some steps goes, and how much of it its kernels would need at their own speed: products by their operations over
 * the speed of the same kernel where all cores are at it, all other kernels by their fastest run. In seconds of all cores
 * together: a session of fewer threads than there are cores can have others beside it.
 */

import type { KernelTime } from '../../src/train/kernel-times.ts';
import type { TrainingProfile } from '../../src/train/profile.ts';
import { KernelSpeed } from './kernel-speed.ts';

/** Products that make up so much of the products' time are measured alone; the others are many and short. */
const MEASURED_SHARE = 0.97;

export interface OpBound {
  op: string;
  /** Seconds of all cores. */
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
  /** Seconds of the steps where no profile is written. */
  seconds: number;
  steps: number;
  /** The sum of all bounds, and the whole step over it. */
  bound_s: number;
  ratio: number;
  /** The same of products alone. */
  products_bound_s: number;
  ratio_products: number;
  threads: number;
  cores: number;
}

/** What a profile of more steps has beyond that of the first ones of the same training. */
function kernelsBetween(more: TrainingProfile, less: TrainingProfile): KernelTime[] {
  const nameOf = ({ op, inputs }: KernelTime) => `${op} ${JSON.stringify(inputs)}`;
  const before = new Map(less.kernels.map((kernel) => [nameOf(kernel), kernel]));
  return more.kernels.flatMap((kernel) => {
    const known = before.get(nameOf(kernel));
    const runs = kernel.runs - (known?.runs ?? 0);
    return runs === 0 ? [] : [{ ...kernel, runs, milliseconds: kernel.milliseconds - (known?.milliseconds ?? 0) }];
  });
}

/**
 * Of the steps that one profile has and the other has not: the first step of a training also starts threads, copies weights
 * to them, and touches all memory for the first time.
 *
 * @param seconds of these steps without a profile
 */
export async function boundsOf(
  more: TrainingProfile,
  less: TrainingProfile,
  seconds: number,
): Promise<{ profile: OpBound[]; profile_step: StepBounds }> {
  const kernels = kernelsBetween(more, less);
  const speed = new KernelSpeed();
  const { cores } = speed;
  const products = kernels.filter(({ flops }) => flops);
  const all = products.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const alone = new Map<KernelTime, number>();
  let measured = 0;
  for (const kernel of products) {
    if (measured > MEASURED_SHARE * all) break;
    measured += kernel.milliseconds;
    alone.set(kernel, await speed.secondsOfAllCores(kernel));
  }
  speed.release();
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
  return { profile, profile_step: { seconds, steps: more.steps - less.steps, bound_s, ...ratios, threads, cores } };
}
