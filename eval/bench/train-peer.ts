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

const TYPES = ['bf16', 'f32'];
/** Ways TRL offers to be faster on a CPU. Flash attention and Liger kernels need a GPU. */
const WAYS: readonly (readonly string[])[] = [
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

/**
 * Tries both types of numbers as they come, and every way with the faster one, over a few steps. Failures are told, not thrown.
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
  const optionsOf = (dtype: string, way: readonly string[]) => [
    ...['--dtype', dtype, '--accum', String(samplesPerStep)],
    ...way,
    ...['--warm', String(WARM_STEPS)],
  ];
  /** Tokens a second; 0 for a way that does not work. */
  const speedOf = async (dtype: string, way: readonly string[]): Promise<number> => {
    const settings = [dtype, ...way].join(' ');
    let trial: PeerTrial;
    try {
      const run = await trainPeer(files, val, [...optionsOf(dtype, way), '--max-steps', String(steps)]);
      trial = { settings, tokens_per_s: run.tokens_per_s, peak_rss_gb: run.peak_rss_gb };
    } catch (error) {
      trial = { settings, failed: (error as Error).message.slice(-200) };
    }
    trials.push(trial);
    console.error(`trl, tried: ${JSON.stringify(trial)}`);
    return trial.tokens_per_s ?? 0;
  };
  let best = { dtype: '', way: [] as readonly string[], speed: 0 };
  for (const dtype of TYPES) {
    const speed = await speedOf(dtype, []);
    if (speed > best.speed) best = { dtype, way: [], speed };
  }
  if (best.speed === 0) throw new Error('TRL does not train with this Python');
  for (const way of WAYS) {
    const speed = await speedOf(best.dtype, way);
    if (speed > best.speed) best = { ...best, way, speed };
  }
  return { trials, options: optionsOf(best.dtype, best.way) };
}
