/** `mga train --profile`: where the time of a step goes, from onnxruntime's own profiles. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunContext } from '../foundation/run-context.ts';
import { type StudentJob, trainStudent } from './train.ts';

/** The first step builds most graphs; the second shows how many are new in each. */
const PROFILED_STEPS = 2;

export interface OpTime {
  readonly op: string;
  readonly milliseconds: number;
  readonly runs: number;
}

export interface TrainingProfile {
  /** Seconds of the steps, building of graphs and the loop in JavaScript included. */
  readonly seconds: number;
  /** The longest first. */
  readonly ops: readonly OpTime[];
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
    return { seconds, ops: opTimes(texts) };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Sums the kernels' times of onnxruntime's profiles (lists of trace events) by op. */
export function opTimes(profiles: readonly string[]): OpTime[] {
  const sums = new Map<string, { op: string; milliseconds: number; runs: number }>();
  for (const profile of profiles) {
    for (const { cat, name, dur, args } of JSON.parse(profile) as ProfileEvent[]) {
      const op = args?.op_name;
      if (cat !== 'Node' || op === undefined || !name.endsWith('_kernel_time')) continue;
      const sum = sums.get(op) ?? { op, milliseconds: 0, runs: 0 };
      sum.milliseconds += dur / 1000;
      sum.runs++;
      sums.set(op, sum);
    }
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}

/** The profile as a table: op, milliseconds, share of the steps, runs. */
export function renderProfile({ seconds, ops }: TrainingProfile): string {
  const kernels = ops.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rest = { op: 'outside of ops', milliseconds: Math.max(0, 1000 * seconds - kernels), runs: 0 };
  const line = ({ op, milliseconds, runs }: OpTime) =>
    [
      op.padEnd(30),
      milliseconds.toFixed(0).padStart(8),
      `${((100 * milliseconds) / (1000 * seconds)).toFixed(1)}%`.padStart(7),
      String(runs || '').padStart(8),
    ]
      .join(' ')
      .trimEnd();
  const head = `${'op'.padEnd(30)} ${'ms'.padStart(8)} ${'share'.padStart(7)} ${'runs'.padStart(8)}`;
  return `${[`${PROFILED_STEPS} steps, ${seconds.toFixed(1)} s`, head, ...[...ops, rest].map(line)].join('\n')}\n`;
}
