/** Trains one student: the loop over steps, with checkpoints, dev losses and exact resume. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { evaluateLoss } from '../engine/evaluate.ts';
import type { TokenSample } from '../engine/token-samples.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import type { Smoothing } from '../quantize/smooth-quant.ts';
import { scaleAdapter } from '../quantize/student-model.ts';
import type { TrainSettings } from '../recipe/schema.ts';
import { bestDevLoss, removeBest, saveBest, takeBest } from './best-dev-loss.ts';
import { loadCheckpoint, saveCheckpoint, type TrainingState } from './checkpoint.ts';
import { appendLoss, type LossLine, truncateLosses } from './losses-file.ts';
import type { MemoryPlan } from './memory-plan.ts';
import { ADAMW_DEFAULTS } from './optimizer.ts';
import { PASS_TOKENS, planPasses, planSteps } from './plan-steps.ts';
import { cosineWithWarmup } from './schedule.ts';
import { applyGradient, batchGradient, type Units, zeroGradients, zeroMoments } from './step.ts';
import { secondsAhead, secondsPerToken } from './time-left.ts';
import {
  adapterUnits,
  engineSettings,
  saveTrained,
  startOf,
  type Trained,
  trainedFile,
  trainedSize,
} from './trained.ts';

export interface TrainingJob {
  readonly name: string;
  /** The student's folder. */
  readonly folder: string;
  readonly model: RuntimeModel;
  /** Of the model, where it is smoothed. */
  readonly smoothing?: Smoothing;
  readonly train: readonly TokenSample[];
  readonly dev: readonly TokenSample[];
  readonly settings: TrainSettings;
  readonly seed: number;
  readonly memory: MemoryPlan;
  /** Identity of everything above, for resume. */
  readonly inputHash: string;
  /** File prefix of onnxruntime's profiles, where they are wanted. */
  readonly profile?: string;
}

export interface TrainingFacts {
  steps: number;
  /** The step whose parameters were kept. */
  best_step: number;
  trainable: number;
  samples: number;
  /** Tokens of the data set (each sample's prompt and completion) a second, over the steps alone. */
  tokens_per_second: number;
  seconds: number;
  /** Building graphs and sessions, part of the steps' seconds. */
  build_seconds: number;
  /** Tasks that ran side by side, each in its share of the threads. */
  lanes: number;
  /** Most memory the process has had so far. */
  peak_rss_gb: number;
  dev_loss_before: number | null;
  dev_loss: number | null;
}

/**
 * Runs all steps and writes adapter.safetensors (method full: model.safetensors). Killed and run again, it goes on from the last checkpoint and ends with
 * the same bits.
 *
 * @throws InterruptedError after a checkpoint, when the signal is aborted
 * @throws UserError where the loss is no number any more
 */
export async function train(job: TrainingJob, context: RunContext): Promise<TrainingFacts> {
  const { model, smoothing, settings, seed } = job;
  mkdirSync(job.folder, { recursive: true });
  const start = startOf(model, settings, seed);
  const isSmoothed = smoothing !== undefined && !('outer' in start);
  const trained = isSmoothed ? scaleAdapter(start, smoothing, 'smooth') : start;
  const units = isSmoothed ? adapterUnits(start, smoothing) : undefined;
  const engine = new Engine(model, {
    device: settings.device,
    ...(settings.threads ? { threads: settings.threads } : {}),
    ...engineSettings(trained),
    ...(job.profile ? { profile: job.profile } : {}),
    keptLayers: job.memory.keptLayers,
    lanes: job.memory.lanes,
    expectedRows: job.memory.rows,
  });
  try {
    return await runSteps(job, engine, trained, units, context);
  } finally {
    await engine.release();
  }
}

async function runSteps(
  job: TrainingJob,
  engine: Engine,
  trained: Trained,
  units: Units | undefined,
  { emit, signal }: RunContext,
): Promise<TrainingFacts> {
  const { name, folder, settings } = job;
  const documents = job.train.map(({ docId }) => docId);
  const lengths = job.train.map(({ tokens }) => tokens.length);
  const steps = planSteps(documents, settings, job.seed);
  const isEvaluated = (step: number) => step === steps.length || step % settings.evaluateEvery === 0;
  const lossesPath = join(folder, 'losses.jsonl');
  const { patience } = settings;
  const lines: LossLine[] = [];
  const isOver = () => patience !== undefined && (bestDevLoss(lines)?.since ?? 0) >= patience;
  const keepBest = (step: number) => {
    if (patience !== undefined && bestDevLoss(lines)?.step === step) saveBest(folder, step, trained);
  };
  let evaluationSeconds: number | undefined;
  const evaluate = async (step: number): Promise<number | null> => {
    if (job.dev.length === 0) return null;
    const built = engine.lanes.here.buildSeconds;
    const began = performance.now();
    const loss = await evaluateLoss(engine, trained.layers, job.dev, signal);
    evaluationSeconds = (performance.now() - began) / 1000 - (engine.lanes.here.buildSeconds - built);
    appendLoss(lossesPath, { step, dev_loss: loss });
    lines.push({ step, dev_loss: loss });
    keepBest(step);
    emit({ type: 'dev-loss', student: name, step, loss });
    return loss;
  };

  const moments = zeroMoments(trained);
  const resumed = loadCheckpoint(folder, job.inputHash, trained, moments);
  if (!resumed) removeBest(folder);
  const written = truncateLosses(lossesPath, resumed?.step ?? -1);
  lines.push(...written);
  let devLoss: number | null = null;
  if (resumed && isEvaluated(resumed.step)) {
    // The checkpoint comes before the dev loss, so that a stop in between loses no step.
    const line = written.find((one) => one.step === resumed.step && 'dev_loss' in one);
    devLoss = line && 'dev_loss' in line ? line.dev_loss : await evaluate(resumed.step);
    keepBest(resumed.step);
  }
  const fresh = { step: 0, inputHash: job.inputHash, labels: 0, tokens: 0, seconds: 0 };
  let state: TrainingState = resumed ?? { ...fresh, devLossBefore: await evaluate(0) };

  const sums = zeroGradients(trained);
  const first = state.step + 1;
  for (let step = first; step <= steps.length && !isOver(); step++) {
    const started = performance.now();
    const built = engine.lanes.here.buildSeconds;
    const batch = steps[step - 1]!;
    const passes = planPasses(batch, documents, lengths, PASS_TOKENS).map((pass) => pass.map((i) => job.train[i]!));
    const gradient = await batchGradient(engine, trained, passes, sums);
    const learningRate = cosineWithWarmup(step, steps.length, settings.warmup, settings.learningRate);
    const { gradientClip, weightDecay } = settings;
    const adamw = { ...ADAMW_DEFAULTS, weightDecay };
    const norm = applyGradient(trained, moments, gradient, step, learningRate, gradientClip, adamw, units);
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
    if (step === first) {
      const buildSeconds = engine.lanes.here.buildSeconds - built;
      const left = steps.slice(step);
      const ahead = {
        tokens: left.flat().reduce((n, i) => n + lengths[i]!, 0),
        evaluations: job.dev.length === 0 ? 0 : steps.filter((_, i) => i + 1 >= step && isEvaluated(i + 1)).length,
        devTokens: job.dev.reduce((n, { tokens: sample }) => n + sample.length, 0),
      };
      const secondsLeft = secondsAhead(ahead, secondsPerToken({ seconds, buildSeconds, tokens }), evaluationSeconds);
      emit({
        type: 'training-estimate',
        student: name,
        steps: left.length,
        stepSeconds: seconds,
        buildSeconds,
        secondsLeft,
      });
      const rest = `the other ${left.length} and ${ahead.evaluations} dev losses take about ${minutes(secondsLeft)}`;
      const message = `${name}: the first step took ${seconds.toFixed(1)} s, ${buildSeconds.toFixed(1)} of it to build graphs; ${rest}${patience === undefined ? '' : ' at most'}`;
      emit({ type: 'log', level: 'info', message });
    }
    const isStopped = signal.aborted;
    if (isEvaluated(step) || isStopped || step % settings.checkpointEvery === 0) {
      saveCheckpoint(folder, state, trained, moments);
    }
    if (isStopped) {
      throw new InterruptedError(`Stopped training ${name} after step ${step} of ${steps.length}; the step is saved`);
    }
    if (isEvaluated(step)) devLoss = await evaluate(step);
  }
  const best = patience === undefined ? undefined : bestDevLoss(lines);
  const path = join(folder, trainedFile(trained));
  if (best) takeBest(folder, best.step, path);
  else saveTrained(path, trained);
  return {
    steps: state.step,
    best_step: best?.step ?? state.step,
    trainable: trainedSize(trained),
    samples: job.train.length,
    tokens_per_second: state.tokens / state.seconds,
    seconds: state.seconds,
    build_seconds: engine.lanes.here.buildSeconds,
    lanes: job.memory.lanes,
    peak_rss_gb: (process.resourceUsage().maxRSS * 1024) / 1e9,
    dev_loss_before: state.devLossBefore,
    dev_loss: best?.loss ?? devLoss,
  };
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
