/** `mga train --profile`: where the time of a step goes, from onnxruntime's own profiles. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type KernelTime, kernelTimes } from './kernel-times.ts';
import { type StudentJob, trainStudent } from './train.ts';
import type { TrainingFacts } from './trainer.ts';

/** Where the settings do not say. The first step builds most graphs; the second shows how many are new in each. */
const PROFILED_STEPS = 2;

export interface OpTime {
  readonly op: string;
  readonly milliseconds: number;
  readonly runs: number;
  /** Of products: 10^9 multiplications and additions. */
  readonly gflop?: number;
}

export interface TrainingProfile {
  readonly steps: number;
  /** Kernels that ran side by side: their times add up to as many times the seconds. */
  readonly lanes: number;
  /** Seconds of the steps, building of graphs and the loop in JavaScript included. */
  readonly seconds: number;
  /** Of these, building graphs and sessions. */
  readonly buildSeconds: number;
  /** The longest first. */
  readonly ops: readonly OpTime[];
  /** The same by shapes of inputs. */
  readonly kernels: readonly KernelTime[];
}

/** Trains a few steps in a folder that is removed again, without dev losses. */
export async function profileTraining(job: StudentJob, context: RunContext): Promise<TrainingProfile> {
  const root = mkdtempSync(join(tmpdir(), 'mga-profile-'));
  try {
    const folder = join(root, 'student');
    const settings = { ...job.settings, maxSteps: job.settings.maxSteps ?? PROFILED_STEPS };
    await trainStudent({ ...job, folder, dev: [], settings, profile: join(root, 'ops') }, context);
    const losses = readFileSync(join(folder, 'losses.jsonl'), 'utf8').trim().split('\n');
    const seconds = losses.reduce((sum, line) => sum + (JSON.parse(line) as { seconds: number }).seconds, 0);
    const texts = readdirSync(root)
      .filter((name) => name.startsWith('ops') && name.endsWith('.json'))
      .map((name) => readFileSync(join(root, name), 'utf8'));
    const kernels = kernelTimes(texts);
    const { steps, lanes, build_seconds: buildSeconds } = readManifest(folder)!.facts as unknown as TrainingFacts;
    return { steps, lanes, seconds, buildSeconds, ops: opTimes(kernels), kernels };
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

/** The profile as a table: op, milliseconds, share of all lanes' time, runs, and of products 10^9 operations a second. */
export function renderProfile({ steps, lanes, seconds, ops }: TrainingProfile): string {
  const kernels = ops.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const all = 1000 * seconds * lanes;
  const rest = { op: 'outside of ops', milliseconds: Math.max(0, all - kernels), runs: 0 };
  const line = ({ op, milliseconds, runs, gflop }: OpTime) =>
    [
      op.padEnd(30),
      milliseconds.toFixed(0).padStart(8),
      `${((100 * milliseconds) / all).toFixed(1)}%`.padStart(7),
      String(runs || '').padStart(8),
      gflop === undefined ? '' : ((1000 * gflop) / milliseconds).toFixed(0).padStart(8),
    ]
      .join(' ')
      .trimEnd();
  const head = `${'op'.padEnd(30)} ${'ms'.padStart(8)} ${'share'.padStart(7)} ${'runs'.padStart(8)} ${'GFLOP/s'.padStart(8)}`;
  const title = `${steps} steps, ${seconds.toFixed(1)} s in ${lanes === 1 ? 'one lane' : `${lanes} lanes`}`;
  return `${[title, head, ...[...ops, rest].map(line)].join('\n')}\n`;
}
