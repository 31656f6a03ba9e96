/**
 * Training speed, memory and loss beside TRL's on the same samples (eval/peer), in alternation.
 *
 *   npm run -s bench -- train [OPTIONS]
 *
 *   --peer PYTHON      alternate with TRL in bf16 and f32, by a Python that has it (eval/peer/trl_sft.py)
 *   --peer-best        with --peer: try the ways TRL offers to be faster on a CPU, and alternate with the best one, too
 *   --full             one epoch of each with losses on the validation samples
 *   --shapes           the first step of Qwen2.5-0.5B and Gemma3-270M shapes with random weights
 *   --long             a sample of prompt 4,096 + response 4,096 tokens against one of 1,024 (--long-tokens N: others than 4,096)
 *   --full-finetune    one step that trains all weights, in f32
 *   --steps N          steps of a run (8); --alternations N (3); --samples N of ablation and shapes (6)
 *   --memory GB        train.memory of our runs; --model MODEL
 *   --no-ablation      --no-profile
 *
 * Standard error has each result as it comes; the last line of standard output is one JSON object of all. Runs for speed and memory
 * make no validation pass.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveModel } from '../../src/model/resolve.ts';
import { lastLineOf } from './run-child.ts';
import { boundsOf } from './train-bounds.ts';
import { measureLong } from './train-long.ts';
import { type OwnRun, profileOwn, trainOwn } from './train-own.ts';
import { bestPeer, type PeerRun, type PeerTrial, trainPeer } from './train-peer.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    peer: { type: 'string' },
    'peer-best': { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    shapes: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    'long-tokens': { type: 'string', default: '4096' },
    'full-finetune': { type: 'boolean', default: false },
    steps: { type: 'string', default: '8' },
    alternations: { type: 'string', default: '3' },
    samples: { type: 'string', default: '6' },
    memory: { type: 'string' },
    model: { type: 'string', default: 'smollm2-135m-instruct' },
    'no-ablation': { type: 'boolean', default: false },
    'no-profile': { type: 'boolean', default: false },
  },
});
const TRAIN = 'eval/peer/bench/train.jsonl';
const VAL = 'eval/peer/bench/val.jsonl';
/** The samples of a step on both sides; ours may have fewer, as those of a document stay together or are parted evenly. */
const SAMPLES = 5;
/** Models whose shapes are timed with random weights. */
const SHAPES = ['qwen2.5-0.5b-instruct', 'gemma-3-270m-it'];
/** What a long sample may take. */
const LONG_MEMORY = 16;

const { folder: model } = await resolveModel(values.model, { emit: () => {} });
const memory = values.memory === undefined ? [] : [`memory=${values.memory}`];
const base = [`model=${JSON.stringify(model)}`, `samplesPerStep=${SAMPLES}`];
// As trl_sft.py.
const settings = [...base, 'maxTokens=8192', ...memory];
const temporary = mkdtempSync(join(tmpdir(), 'mga-bench-'));

/** What was measured so far is not lost with a run that is interrupted. */
function told<T>(what: string, result: T): T {
  console.error(`${what}: ${JSON.stringify(result)}`);
  return result;
}

/** Runs another file of this bench in a process of its own. */
async function child(file: string, ...args: string[]): Promise<unknown> {
  return JSON.parse(await lastLineOf(process.execPath, ['--import', 'tsx', `eval/bench/${file}`, ...args]));
}

try {
  // The peer always makes a validation pass: for speed and memory it gets a single sample.
  const oneSample = join(temporary, 'one.jsonl');
  writeFileSync(oneSample, `${readFileSync(VAL, 'utf8').split('\n')[0]!}\n`);
  const files = { python: values.peer ?? '', model, train: TRAIN };
  const peers = new Map<string, { options: string[]; runs: PeerRun[]; trials?: PeerTrial[] }>();
  if (values.peer !== undefined) {
    for (const dtype of ['bf16', 'f32']) {
      peers.set(dtype, { options: ['--dtype', dtype, '--accum', String(SAMPLES)], runs: [] });
    }
    if (values['peer-best']) {
      peers.set('best', {
        ...(await bestPeer(files, oneSample, SAMPLES, Math.min(2, Number(values.steps)))),
        runs: [],
      });
    }
  }

  const own: OwnRun[] = [];
  for (let i = 0; i < Number(values.alternations); i++) {
    own.push(told('ours', await trainOwn(TRAIN, undefined, [...settings, `maxSteps=${values.steps}`])));
    for (const [name, { options, runs }] of peers) {
      runs.push(told(`trl ${name}`, await trainPeer(files, oneSample, [...options, '--max-steps', values.steps])));
    }
  }
  const whole = values.full ? told('ours, one epoch', await trainOwn(TRAIN, VAL, settings)) : undefined;
  const peer: Record<string, unknown> = {};
  const ratios: Record<string, unknown> = {};
  for (const [name, { options, runs, trials }] of peers) {
    const epoch = values.full ? told(`trl ${name}, one epoch`, await trainPeer(files, VAL, options)) : undefined;
    peer[name] = {
      ...(trials ? { settings: options.join(' '), trials } : {}),
      tokens_per_s: spread(runs.map((run) => run.tokens_per_s))?.median ?? null,
      peak_rss_gb: Math.max(...runs.map((run) => run.peak_rss_gb)),
      val_loss_before: epoch?.val_loss_before ?? null,
      val_loss_after: epoch?.val_loss_after ?? null,
    };
    ratios[`ratio_${name}`] = spread(runs.map(({ tokens_per_s }, i) => own[i]!.tokens_per_s / tokens_per_s));
  }

  const ablation = values['no-ablation'] ? [] : await child('train-ablation.ts', model, TRAIN, values.samples);
  const profiled = values['no-profile'] ? { profile: [] } : told('profile', await profile(own));
  const shapes: unknown[] = [];
  if (values.shapes) {
    for (const alias of SHAPES) {
      shapes.push(told('shapes', await child('train-shapes.ts', alias, model, TRAIN, values.samples)));
    }
  }
  const long = values.long
    ? await measureLong(model, TRAIN, Number(values['long-tokens']), [...base, `memory=${LONG_MEMORY}`])
    : undefined;
  const fine = [...settings, 'method=full', 'precision=f32', 'learningRate=0.00005', 'maxSteps=1'];
  const full = values['full-finetune'] ? told('full', await trainOwn(TRAIN, undefined, fine)) : undefined;

  console.log(
    JSON.stringify({
      bench: 'train',
      steps: Number(values.steps),
      tokens_per_s: spread(own.map((run) => run.tokens_per_s))?.median ?? null,
      session_build_s: spread(own.map((run) => run.build_s))?.median ?? null,
      val_loss_before: whole?.val_loss_before ?? null,
      val_loss_after: whole?.val_loss_after ?? null,
      peak_rss_gb: Math.max(...own.map((run) => run.peak_rss_gb)),
      event_loop_p99_ms: Math.max(...own.map((run) => run.event_loop_p99_ms)),
      ...(peers.size === 0 ? {} : { peer, ...ratios }),
      ablation,
      ...profiled,
      ...(values.shapes ? { shapes } : {}),
      ...(long ? { long } : {}),
      ...(full
        ? { full_finetune: { seconds: full.seconds, build_s: full.build_s, peak_rss_gb: full.peak_rss_gb } }
        : {}),
    }),
  );
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

/** The profile of the second and third step, and the time that they take where no profile is written. */
async function profile(runs: readonly OwnRun[]) {
  const [first, last] = [1, 3];
  const steps = (count: number) => [...settings, `maxSteps=${count}`];
  const long = runs.filter(({ step_s }) => step_s.length >= last);
  const timed = long.length > 0 ? long : [await trainOwn(TRAIN, undefined, steps(last))];
  const seconds = timed.map(({ step_s }) => step_s.slice(first, last).reduce((sum, step) => sum + step, 0));
  return boundsOf(await profileOwn(TRAIN, steps(last)), await profileOwn(TRAIN, steps(first)), spread(seconds)!.median);
}

function spread(numbers: readonly number[]): { median: number; min: number; max: number } | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}
