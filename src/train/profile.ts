/** `mga train --profile`: where the time of a step goes, from onnxruntime's own profiles. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type KernelTime, kernelTimes } from './kernel-times.ts';
import { type StudentJob, trainStudent } from './train.ts';

/** The first step builds most graphs; the second shows how many are new in each. */
const PROFILED_STEPS = 2;

export interface OpTime {
  readonly op: string;
  readonly milliseconds: number;
  readonly runs: number;
  /** Of products: 10^9 multiplications and additions. */
  readonly gflop?: number;
}

export interface TrainingProfile {
  /** Seconds of the steps, building of graphs and the loop in JavaScript included. */
  readonly seconds: number;
  /** Of these, building graphs and sessions. */
  readonly buildSeconds: number;
  /** The longest first. */
  readonly ops: readonly OpTime[];
  /** The same by shapes of inputs. */
  readonly kernels: readonly KernelTime[];
}

/** Trains two steps in a folder that is removed again, without dev losses. */
export async function profileTraining(job: StudentJob, context: RunContext): Promise<TrainingProfile> {
  const root = mkdtempSync(join(tmpdir(), 'mga-profile-'));
  try {
    const folder = join(root, 'student');
    const settings = { ...job.settings, maxSteps: PROFILED_STEPS };
    await trainStudent({ ...job, folder, dev: [], settings, profile: join(root, 'ops') }, context);
    const losses = readFileSync(join(folder, 'losses.jsonl'), 'utf8').trim().split('\n');
    const seconds = losses.reduce((sum, line) => sum + (JSON.parse(line) as { seconds: number }).seconds, 0);
    const texts = readdirSync(root)
      .filter((name) => name.startsWith('ops') && name.endsWith('.json'))
      .map((name) => readFileSync(join(root, name), 'utf8'));
    const kernels = kernelTimes(texts);
    const buildSeconds = readManifest(folder)!.facts!.build_seconds as number;
    return { seconds, buildSeconds, ops: opTimes(kernels), kernels };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Sums kernels by op. */
export function opTimes(kernels: readonly KernelTime[]): OpTime[] {
  const sums = new Map<string, OpTime>();
  for (const { op, milliseconds, runs, flops } of kernels) {
    const sum = sums.get(op) ?? { op, milliseconds: 0, runs: 0 };
    const gflop = flops === undefined ? {} : { gflop: (sum.gflop ?? 0) + (runs * flops) / 1e9 };
    sums.set(op, { ...sum, ...gflop, milliseconds: sum.milliseconds + milliseconds, runs: sum.runs + runs });
  }
  return [...sums.values()].sort((x, y) => y.milliseconds - x.milliseconds);
}

/** The profile as a table: op, milliseconds, share of the steps, runs, and of products 10^9 operations a second. */
export function renderProfile({ seconds, ops }: TrainingProfile): string {
  const kernels = ops.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rest = { op: 'outside of ops', milliseconds: Math.max(0, 1000 * seconds - kernels), runs: 0 };
  const line = ({ op, milliseconds, runs, gflop }: OpTime) =>
    [
      op.padEnd(30),
      milliseconds.toFixed(0).padStart(8),
      `${((100 * milliseconds) / (1000 * seconds)).toFixed(1)}%`.padStart(7),
      String(runs || '').padStart(8),
      gflop === undefined ? '' : ((1000 * gflop) / milliseconds).toFixed(0).padStart(8),
    ]
      .join(' ')
      .trimEnd();
  const head = `${'op'.padEnd(30)} ${'ms'.padStart(8)} ${'share'.padStart(7)} ${'runs'.padStart(8)} ${'GFLOP/s'.padStart(8)}`;
  return `${[`${PROFILED_STEPS} steps, ${seconds.toFixed(1)} s`, head, ...[...ops, rest].map(line)].join('\n')}\n`;
}
