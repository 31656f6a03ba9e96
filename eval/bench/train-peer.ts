/** TRL on the same samples (eval/peer/trl_sft.py), as it comes and in the way that is fastest here. */

import { lastLineOf } from './run-child.ts';

export interface PeerRun {
  tokens_per_s: number;
  val_loss_before: number;
  val_loss_after: number;
  peak_rss_gb: number;
}

export interface PeerFiles {
  readonly python: string;
  readonly model: string;
  readonly train: string;
}

/** One training of TRL's. @param options of trl_sft.py beyond model and files */
export async function trainPeer(
  { python, model, train }: PeerFiles,
  val: string,
  options: readonly string[],
): Promise<PeerRun> {
  const files = ['--model', model, '--train', train, '--val', val];
  return JSON.parse(await lastLineOf(python, ['eval/peer/trl_sft.py', ...files, ...options])) as PeerRun;
}

/** Ways TRL offers to be faster on a CPU; each with both types of numbers. Flash attention and Liger kernels need a GPU. */
const WAYS: readonly (readonly string[])[] = [
  [],
  ['--fused'],
  ['--compile'],
  ['--compile', '--fused'],
  // Rows as long as a step's samples together, and half of that.
  ['--packing', '4200', '--accum', '1'],
  ['--packing', '2100', '--accum', '2'],
  ['--batch', '5', '--padding-free'],
  ['--batch', '5', '--group-by-length'],
];

export interface PeerTrial {
  settings: string;
  tokens_per_s?: number;
  peak_rss_gb?: number;
  /** Why it gave no figure: it does not work with what is installed. */
  failed?: string;
}

/** The steps before the clock starts: compiling for the lengths of samples, each of its own, and their caches. */
const WARM_STEPS = 2;

/** Characters of a failure that are told: its end says why. */
const MESSAGE_END = 300;

/**
 * Tries every way over a few steps. Failures are told, not thrown.
 *
 * @returns all trials, and the options of the fastest
 */
export async function bestPeer(
  files: PeerFiles,
  val: string,
  samplesPerStep: number,
  steps: number,
): Promise<{ trials: PeerTrial[]; options: string[] }> {
  const trials: PeerTrial[] = [];
  let best: { options: string[]; speed: number } | undefined;
  for (const dtype of ['bf16', 'f32']) {
    for (const way of WAYS) {
      const options = ['--dtype', dtype, ...['--accum', String(samplesPerStep)], ...way, '--warm', String(WARM_STEPS)];
      const settings = [dtype, ...way].join(' ');
      try {
        const { tokens_per_s, peak_rss_gb } = await trainPeer(files, val, [...options, '--max-steps', String(steps)]);
        trials.push({ settings, tokens_per_s, peak_rss_gb });
        if (tokens_per_s > (best?.speed ?? 0)) best = { options, speed: tokens_per_s };
      } catch (error) {
        trials.push({ settings, failed: (error as Error).message.slice(-MESSAGE_END) });
      }
      console.error(`trl, tried: ${JSON.stringify(trials.at(-1))}`);
    }
  }
  if (best === undefined) throw new Error('No way of training with TRL works with this Python');
  return { trials, options: best.options };
}
