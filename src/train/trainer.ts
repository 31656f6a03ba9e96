/** Trains one student: the loop over steps, with checkpoints, dev losses and exact resume. */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { evaluateLoss } from '../engine/evaluate.ts';
import type { TokenSample } from '../engine/token-samples.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { adapterScale, adapterSize, createAdapter } from '../model/adapter.ts';
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
 */
export async function train(job: TrainingJob, { emit, signal }: RunContext): Promise<TrainingFacts> {
  const { name, folder, model, settings, seed } = job;
  mkdirSync(folder, { recursive: true });
  const documents = job.train.map(({ docId }) => docId);
  const lengths = job.train.map(({ tokens }) => tokens.length);
  const steps = planSteps(documents, settings, seed);
  const adapter = createAdapter(model.config, settings.lora, seed);
  const moments = zeroMoments(adapter);
  const engine = new Engine(model, {
    device: settings.device,
    ...(settings.threads ? { threads: settings.threads } : {}),
    lora: { rank: adapter.rank, scale: adapterScale(adapter) },
  });
  const devLoss = async () => (job.dev.length > 0 ? evaluateLoss(engine, adapter.layers, job.dev, signal) : null);
  const lossesPath = join(folder, 'losses.jsonl');
  let state: TrainingState = loadCheckpoint(folder, job.inputHash, adapter, moments) ?? {
    step: 0,
    inputHash: job.inputHash,
    labels: 0,
    tokens: 0,
    seconds: 0,
    devLossBefore: await devLoss(),
  };
  truncateLosses(lossesPath, state.step);
  if (state.step === 0 && state.devLossBefore !== null) {
    appendLoss(lossesPath, { step: 0, dev_loss: state.devLossBefore });
    emit({ type: 'dev-loss', student: name, step: 0, loss: state.devLossBefore });
  }
  let lastDevLoss: { step: number; loss: number | null } = { step: -1, loss: null };
  const firstStep = state.step;

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
    const seconds = (performance.now() - started) / 1000;
    const tokens = batch.reduce((n, i) => n + lengths[i]!, 0);
    state = {
      ...state,
      step,
      labels: state.labels + gradient.labels,
      tokens: state.tokens + tokens,
      seconds: state.seconds + seconds,
    };
    appendLoss(lossesPath, {
      step,
      loss: gradient.loss,
      learning_rate: learningRate,
      gradient_norm: norm,
      tokens,
      seconds,
    });
    emit({
      type: 'step-end',
      student: name,
      step,
      steps: steps.length,
      loss: gradient.loss,
      learningRate,
      tokensPerSecond: state.tokens / state.seconds,
      secondsLeft: (state.seconds / step) * (steps.length - step),
    });
    const last = step === steps.length;
    if (last || step % settings.evaluateEvery === 0) {
      lastDevLoss = { step, loss: await devLoss() };
      if (lastDevLoss.loss !== null && !signal.aborted) {
        appendLoss(lossesPath, { step, dev_loss: lastDevLoss.loss });
        emit({ type: 'dev-loss', student: name, step, loss: lastDevLoss.loss });
      }
    }
    if (last || signal.aborted || step % settings.checkpointEvery === 0) {
      saveCheckpoint(folder, state, adapter, moments);
    }
    if (signal.aborted && !last) {
      await engine.release();
      throw new InterruptedError(`Stopped training ${name} after step ${step} of ${steps.length}; the step is saved`);
    }
  }
  if (lastDevLoss.step !== steps.length) lastDevLoss = { step: steps.length, loss: await devLoss() };
  await engine.release();
  saveAdapter(join(folder, 'adapter.safetensors'), adapter);
  if (firstStep < steps.length) rmSync(join(folder, `checkpoint-${steps.length}`), { recursive: true, force: true });
  return {
    steps: steps.length,
    trainable: adapterSize(adapter),
    samples: job.train.length,
    tokens_per_second: state.tokens / state.seconds,
    seconds: state.seconds,
    dev_loss_before: state.devLossBefore,
    dev_loss: lastDevLoss.loss,
  };
}
