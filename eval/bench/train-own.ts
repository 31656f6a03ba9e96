/** One training of ours, as a user would start it: `mga train --sft FILE`, in a process of its own. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainingProfile } from '../../src/train/profile.ts';
import { lastLineOf } from './run-child.ts';

export interface OwnRun {
  /** Tokens of the data set a second, over the steps. */
  tokens_per_s: number;
  /** Of the steps; building of graphs included. */
  seconds: number;
  build_s: number;
  peak_rss_gb: number;
  /** Of the main thread, which draws the screen and hears Ctrl-C; from its start to its end. */
  event_loop_p99_ms: number;
  steps: number;
  /** Seconds of each step. */
  step_s: number[];
  /** Seconds of the last step a token of the data set: where lengths repeat, it builds no graphs. */
  last_step_s_per_token: number;
  val_loss_before: number | null;
  val_loss_after: number | null;
}

const PRELOADS = ['--import', 'tsx', '--import', './eval/bench/loop-delay.ts'];
const flags = (settings: readonly string[]) => settings.flatMap((setting) => ['--set', `train.${setting}`]);

/** @param settings of the recipe's train section, KEY=VALUE */
export async function trainOwn(sft: string, val: string | undefined, settings: readonly string[]): Promise<OwnRun> {
  const folder = mkdtempSync(join(tmpdir(), 'mga-bench-'));
  const out = join(folder, 'student');
  try {
    const delays = join(folder, 'delays.json');
    process.env.MGA_LOOP_DELAY = delays;
    const command = [...PRELOADS, 'src/cli/main.ts', 'train', '--sft', sft, '--out', out, '--json', ...flags(settings)];
    await lastLineOf(process.execPath, val === undefined ? command : [...command, '--val', val]);
    const { facts } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as {
      facts: Record<string, number | null>;
    };
    const { p99_ms } = JSON.parse(readFileSync(delays, 'utf8')) as { p99_ms: number };
    const losses = readFileSync(join(out, 'losses.jsonl'), 'utf8').trim().split('\n');
    const steps = losses
      .map((line) => JSON.parse(line) as { seconds?: number; tokens: number })
      .filter(({ seconds }) => seconds !== undefined);
    const last = steps.at(-1)!;
    return {
      event_loop_p99_ms: Number(p99_ms.toFixed(1)),
      tokens_per_s: facts.tokens_per_second!,
      seconds: facts.seconds!,
      build_s: facts.build_seconds!,
      peak_rss_gb: facts.peak_rss_gb!,
      steps: facts.steps!,
      step_s: steps.map(({ seconds }) => seconds!),
      last_step_s_per_token: last.seconds! / last.tokens,
      val_loss_before: facts.dev_loss_before ?? null,
      val_loss_after: facts.dev_loss ?? null,
    };
  } finally {
    delete process.env.MGA_LOOP_DELAY;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `mga train --sft FILE --profile`: the first steps by kernel. */
export async function profileOwn(sft: string, settings: readonly string[]): Promise<TrainingProfile> {
  const command = [
    '--import',
    'tsx',
    'src/cli/main.ts',
    'train',
    '--sft',
    sft,
    '--profile',
    '--json',
    ...flags(settings),
  ];
  return JSON.parse(await lastLineOf(process.execPath, command)) as TrainingProfile;
}
