/** Trains one student: the loop over steps, with checkpoints, dev losses and exact resume. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { evaluateLoss } from '../engine/evaluate.ts';
import type { TokenSample } from '../engine/token-samples.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type Adapter, adapterScale, adapterSize, createAdapter } from '../model/adapter.ts';
import { saveAdapter } from '../model/adapter-file.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import type { TrainSettings } from '../recipe/schema.ts';
import { loadCheckpoint, saveCheckpoint, type TrainingState } from './checkpoint.ts';
import { appendLoss, truncateLosses } from './losses-file.ts';
import { ADAMW_DEFAULTS } from './optimizer.ts';
import { planPasses, planSteps } from './plan-steps.ts';
import { cosineWithWarmup } from './schedule.ts';
import { applyGradient, batchGradient, zeroMoments } from './step.ts';

export interface TrainingJob {
  readonly name: string;
  /** The student's folder. */
  readonly folder: string;
  readonly model: RuntimeModel;
  readonly train: readonly TokenSample[];
  readonly dev: readonly TokenSample[];
  readonly settings: TrainSettings;
  readonly seed: number;
  /** Identity of everything above, for resume. */
  readonly inputHash: string;
}

export interface TrainingFacts {
  steps: number;
  trainable: number;
  samples: number;
  /** Tokens of the data set (each sample's prompt and completion) a second, over the steps alone. */
  tokens_per_second: number;
  seconds: number;
  dev_loss_before: number | null;
  dev_loss: number | null;
}

/** Tokens of a pass through the model before sharing: bounds the kept activations (about 0.7 MB a token for 135M). */
const PASS_TOKENS = 3072;

/**
 * Runs all steps and writes adapter.safetensors. Killed and run again, it goes on from the last checkpoint and ends with
 * the same bits.
 *
 * @throws InterruptedError after a checkpoint, when the signal is aborted
 * @throws UserError where the loss is no number any more
 */
export async function train(job: TrainingJob, context: RunContext): Promise<TrainingFacts> {
  const { model, settings, seed } = job;
  mkdirSync(job.folder, { recursive: true });
  const adapter = createAdapter(model.config, settings.lora, seed);
  const engine = new Engine(model, {
    device: settings.device,
    ...(settings.threads ? { threads: settings.threads } : {}),
    lora: { rank: adapter.rank, scale: adapterScale(adapter) },
  });
  try {
    return await runSteps(job, engine, adapter, context);
  } finally {
    await engine.release();
  }
}

async function runSteps(
  job: TrainingJob,
  engine: Engine,
  adapter: Adapter,
  { emit, signal }: RunContext,
): Promise<TrainingFacts> {
  const { name, folder, settings } = job;
  const documents = job.train.map(({ docId }) => docId);
  const lengths = job.train.map(({ tokens }) => tokens.length);
  const steps = planSteps(documents, settings, job.seed);
  const isEvaluated = (step: number) => step === steps.length || step % settings.evaluateEvery === 0;
  const lossesPath = join(folder, 'losses.jsonl');
  const evaluate = async (step: number): Promise<number | null> => {
    if (job.dev.length === 0) return null;
    const loss = await evaluateLoss(engine, adapter.layers, job.dev, signal);
    appendLoss(lossesPath, { step, dev_loss: loss });
    emit({ type: 'dev-loss', student: name, step, loss });
    return loss;
  };

  const moments = zeroMoments(adapter);
  const resumed = loadCheckpoint(folder, job.inputHash, adapter, moments);
  const written = truncateLosses(lossesPath, resumed?.step ?? -1);
  let devLoss: number | null = null;
  if (resumed && isEvaluated(resumed.step)) {
    // The checkpoint comes before the dev loss, so that a stop in between loses no step.
    const line = written.find((one) => one.step === resumed.step && 'dev_loss' in one);
    devLoss = line && 'dev_loss' in line ? line.dev_loss : await evaluate(resumed.step);
  }
  const fresh = { step: 0, inputHash: job.inputHash, labels: 0, tokens: 0, seconds: 0 };
  let state: TrainingState = resumed ?? { ...fresh, devLossBefore: await evaluate(0) };

  for (let step = state.step + 1; step <= steps.length; step++) {
    const started = performance.now();
    const batch = steps[step - 1]!;
    const passes = planPasses(batch, documents, lengths, PASS_TOKENS).map((pass) => pass.map((i) => job.train[i]!));
    const gradient = await batchGradient(engine, adapter, passes);
    const learningRate = cosineWithWarmup(step, steps.length, settings.warmup, settings.learningRate);
    const norm = applyGradient(adapter, moments, gradient, step, learningRate, settings.gradientClip, {
      ...ADAMW_DEFAULTS,
      weightDecay: settings.weightDecay,
    });
    const { loss, labels } = gradient;
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
      throw new UserError(
        `Cannot go on training ${name}: step ${step} has loss ${loss} and gradient norm ${norm}`,
        'Lower train.learningRate',
      );
    }
    const seconds = (performance.now() - started) / 1000;
    const tokens = batch.reduce((n, i) => n + lengths[i]!, 0);
    state = {
      ...state,
      step,
      labels: state.labels + labels,
      tokens: state.tokens + tokens,
      seconds: state.seconds + seconds,
    };
    appendLoss(lossesPath, { step, loss, learning_rate: learningRate, gradient_norm: norm, tokens, seconds });
    emit({
      type: 'step-end',
      student: name,
      step,
      steps: steps.length,
      loss,
      learningRate,
      tokensPerSecond: state.tokens / state.seconds,
      secondsLeft: (state.seconds / step) * (steps.length - step),
    });
    const isStopped = signal.aborted;
    if (isEvaluated(step) || isStopped || step % settings.checkpointEvery === 0) {
      saveCheckpoint(folder, state, adapter, moments);
    }
    if (isStopped) {
      throw new InterruptedError(`Stopped training ${name} after step ${step} of ${steps.length}; the step is saved`);
    }
    if (isEvaluated(step)) devLoss = await evaluate(step);
  }
  saveAdapter(join(folder, 'adapter.safetensors'), adapter);
  return {
    steps: steps.length,
    trainable: adapterSize(adapter),
    samples: job.train.length,
    tokens_per_second: state.tokens / state.seconds,
    seconds: state.seconds,
    dev_loss_before: state.devLossBefore,
    dev_loss: devLoss,
  };
}
