/**
 * Training speed, memory and loss beside TRL's on the same samples (eval/peer), in alternation.
 *
 *   npm run -s bench -- train [--peer PYTHON] [--full] [--steps N] [--alternations N] [--memory GB] [--no-ablation]
 *
 * Runs for speed and memory make no validation pass; `--full` adds one epoch of each with it.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveModel } from '../../src/model/resolve.ts';
import { lastLineOf } from './run-child.ts';
import { type OwnRun, trainOwn } from './train-own.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    peer: { type: 'string' },
    full: { type: 'boolean', default: false },
    steps: { type: 'string', default: '8' },
    alternations: { type: 'string', default: '3' },
    memory: { type: 'string' },
    model: { type: 'string', default: 'smollm2-135m-instruct' },
    'no-ablation': { type: 'boolean', default: false },
  },
});
const TRAIN = 'eval/peer/bench/train.jsonl';
const VAL = 'eval/peer/bench/val.jsonl';
/** The samples of a step on both sides. */
const SAMPLES = 5;
const DTYPES = ['bf16', 'f32'] as const;

interface PeerRun {
  tokens_per_s: number;
  val_loss_before: number;
  val_loss_after: number;
  peak_rss_gb: number;
}

const { folder: model } = await resolveModel(values.model, { emit: () => {} });
const settings = [
  `model=${JSON.stringify(model)}`,
  `samplesPerStep=${SAMPLES}`,
  // As trl_sft.py.
  'maxTokens=8192',
  ...(values.memory === undefined ? [] : [`memory=${values.memory}`]),
];
const temporary = mkdtempSync(join(tmpdir(), 'mga-bench-'));
try {
  // The peer always makes a validation pass: for speed and memory it gets a single sample.
  const oneSample = join(temporary, 'one.jsonl');
  writeFileSync(oneSample, readFileSync(VAL, 'utf8').split('\n')[0]! + '\n');
  const peerRun = async (dtype: string, val: string, rest: readonly string[]): Promise<PeerRun> => {
    const files = ['--model', model, '--train', TRAIN, '--val', val, '--dtype', dtype, '--accum', String(SAMPLES)];
    return JSON.parse(await lastLineOf(values.peer!, ['eval/peer/trl_sft.py', ...files, ...rest])) as PeerRun;
  };

  const own: OwnRun[] = [];
  const peers: Record<(typeof DTYPES)[number], PeerRun[]> = { bf16: [], f32: [] };
  for (let i = 0; i < Number(values.alternations); i++) {
    own.push(await trainOwn(TRAIN, undefined, [...settings, `maxSteps=${values.steps}`]));
    console.log(`ours: ${JSON.stringify(own.at(-1))}`);
    if (values.peer === undefined) continue;
    for (const dtype of DTYPES) {
      peers[dtype].push(await peerRun(dtype, oneSample, ['--max-steps', values.steps]));
      console.log(`trl ${dtype}: ${JSON.stringify(peers[dtype].at(-1))}`);
    }
  }
  const whole = values.full ? await trainOwn(TRAIN, VAL, settings) : undefined;
  const ratio = (dtype: (typeof DTYPES)[number]) =>
    spread(peers[dtype].map(({ tokens_per_s }, i) => own[i]!.tokens_per_s / tokens_per_s));
  const peer = async (dtype: (typeof DTYPES)[number]) => {
    const epoch = values.full ? await peerRun(dtype, VAL, []) : undefined;
    return {
      tokens_per_s: spread(peers[dtype].map((run) => run.tokens_per_s))?.median,
      peak_rss_gb: Math.max(...peers[dtype].map((run) => run.peak_rss_gb)),
      val_loss_before: epoch?.val_loss_before ?? null,
      val_loss_after: epoch?.val_loss_after ?? null,
    };
  };
  const ablation = values['no-ablation']
    ? []
    : JSON.parse(
        await lastLineOf(process.execPath, ['--import', 'tsx', 'eval/bench/train-ablation.ts', model, TRAIN, '6']),
      );
  console.log(
    JSON.stringify({
      bench: 'train',
      steps: Number(values.steps),
      tokens_per_s: spread(own.map((run) => run.tokens_per_s))!.median,
      session_build_s: spread(own.map((run) => run.build_s))!.median,
      val_loss_before: whole?.val_loss_before ?? null,
      val_loss_after: whole?.val_loss_after ?? null,
      peak_rss_gb: Math.max(...own.map((run) => run.peak_rss_gb)),
      event_loop_p99_ms: Math.max(...own.map((run) => run.event_loop_p99_ms)),
      ...(values.peer === undefined
        ? {}
        : {
            peer: { bf16: await peer('bf16'), f32: await peer('f32') },
            ratio_bf16: ratio('bf16'),
            ratio_f32: ratio('f32'),
          }),
      ablation,
    }),
  );
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

function spread(numbers: readonly number[]): { median: number; min: number; max: number } | undefined {
  if (numbers.length === 0) return undefined;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}
