/** One student: from SFT rows and a pre-trained model to a trained folder. */

import { join } from 'node:path';
import { readSft } from '../curate/sft-arrow.ts';
import type { SftRow } from '../curate/sft-row.ts';
import { type TokenSample, tokenizeRows } from '../engine/token-samples.ts';
import { isComplete, writeManifest } from '../foundation/artifact.ts';
import { UserError } from '../foundation/errors.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { readHubConfig } from '../model/hub-config.ts';
import { loadModel } from '../model/load.ts';
import { resolveModel } from '../model/resolve.ts';
import { f32Model, type RuntimeModel } from '../model/runtime-model.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { calibrate, calibrationSamples } from '../quantize/calibrate.ts';
import type { Smoothing } from '../quantize/smooth-quant.ts';
import { loadSmoothing, saveSmoothing, smoothingMadeFor } from '../quantize/smoothing-file.ts';
import { SMOOTHING_FILE } from '../quantize/student-model.ts';
import { trainableModel } from '../quantize/trainable-model.ts';
import type { Recipe, StudentSettings, TrainSettings } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { describeMemory } from './memory-plan.ts';
import { type TrainingFacts, train } from './trainer.ts';
import { planTrainingMemory } from './training-size.ts';

/** What one student is trained from. */
export interface StudentJob {
  readonly name: string;
  readonly folder: string;
  readonly train: readonly SftRow[];
  readonly dev: readonly SftRow[];
  readonly settings: TrainSettings;
  readonly quantize: Recipe['quantize'];
  readonly seed: number;
  /** File prefix of onnxruntime's profiles, where they are wanted. */
  readonly profile?: string;
}

/** What a student of a recipe is trained from. */
export function studentJob(recipe: Recipe, folder: RunFolder, student: StudentSettings): StudentJob {
  const rows = (split: 'train' | 'dev') =>
    student.stages.flatMap((stage) => readSft(folder.sft(folder.currentRound, stage, split)));
  return {
    name: student.name,
    folder: folder.student(student.name),
    train: rows('train'),
    dev: rows('dev'),
    settings: studentTrain(recipe, student),
    quantize: recipe.quantize,
    seed: recipe.seed,
  };
}

/** Trains one student and marks its folder complete. */
export async function trainStudent(job: StudentJob, context: RunContext): Promise<void> {
  const { emit } = context;
  const { name, settings } = job;
  if (settings.method === 'full' && settings.precision === 'w8a8') {
    throw new UserError(
      `Cannot train ${name} with method full in w8a8: it changes every weight, and int8 weights are frozen`,
      'Set train.precision to f32',
    );
  }
  const started = performance.now();
  const resolved = await resolveModel(settings.model, context);
  const inputs = {
    model: resolved.sha256,
    settings: trainingIdentity(settings),
    quantize: job.quantize,
    seed: job.seed,
    rows: contentHash([job.train, job.dev]),
  };
  if (isComplete(job.folder, inputs)) {
    emit({ type: 'command-skip', command: 'train', reason: `${name} is trained` });
    return;
  }
  const method = settings.method === 'full' ? 'all weights' : `lora r ${settings.lora.rank}`;
  const detail = `${name}: ${settings.model}, ${method}, ${settings.precision}`;
  emit({ type: 'command-start', command: 'train', detail });
  const tokenizer = await loadTokenizer(resolved.folder);
  const trainSet = tokenizeRows(job.train, tokenizer, settings.maxTokens);
  const devSet = tokenizeRows(job.dev, tokenizer, settings.maxTokens);
  if (trainSet.tooLong > 0) {
    const message = `${name}: ${trainSet.tooLong} of ${job.train.length} samples are longer than ${settings.maxTokens} tokens and are left out`;
    emit({ type: 'log', level: 'warn', message });
  }
  if (trainSet.samples.length === 0) {
    throw new UserError(
      `Cannot train ${name}: no sample is at most ${settings.maxTokens} tokens long`,
      'Raise train.maxTokens',
    );
  }
  if (settings.method === 'full' && settings.learningRate >= ADAPTER_RATE) {
    const message = `${name}: train.learningRate ${settings.learningRate} suits adapters; all weights usually want 1e-5 to 1e-4`;
    emit({ type: 'log', level: 'warn', message });
  }
  const inputHash = contentHash(inputs);
  const config = readHubConfig(resolved.folder);
  const memory = planTrainingMemory(config, trainSet.samples, settings, job.seed, name);
  emit({ type: 'log', level: 'info', message: `${name}: ${describeMemory(memory, config)}` });
  const base = await trainedModel(job, resolved.folder, trainSet.samples, inputHash);
  const facts: TrainingFacts = await train(
    {
      name,
      folder: job.folder,
      ...base,
      train: trainSet.samples,
      dev: devSet.samples,
      settings,
      seed: job.seed,
      memory,
      ...(job.profile ? { profile: job.profile } : {}),
      inputHash,
    },
    context,
  );
  const seconds = (performance.now() - started) / 1000;
  writeManifest(job.folder, {
    kind: 'train',
    inputs,
    seconds,
    facts: { ...facts, base: settings.model, base_sha256: resolved.sha256, too_long: trainSet.tooLong },
  });
  const change =
    facts.dev_loss === null ? '' : `, dev loss ${facts.dev_loss_before?.toFixed(3)} -> ${facts.dev_loss.toFixed(3)}`;
  const summary = `${name}: ${facts.steps} steps, ${facts.tokens_per_second.toFixed(0)} tokens/s${change}`;
  emit({ type: 'command-end', command: 'train', seconds, summary });
}

/** From this rate on, training all weights of a pre-trained model mostly unlearns. */
const ADAPTER_RATE = 1e-3;

/** The settings that change what is trained. On what machine does not, nor how often it is looked at where no best is kept. */
function trainingIdentity(settings: TrainSettings): Record<string, unknown> {
  const { checkpointEvery: _c, evaluateEvery, memory: _m, threads: _t, ...identity } = settings;
  return settings.patience === undefined ? identity : { ...identity, evaluateEvery };
}

/** The base in the precision it is trained through. The f32 weights are let go where they were rounded. */
async function trainedModel(
  { folder, settings, quantize }: StudentJob,
  modelFolder: string,
  samples: readonly TokenSample[],
  inputHash: string,
): Promise<{ model: RuntimeModel; smoothing?: Smoothing }> {
  const weights = loadModel(modelFolder);
  if (settings.precision === 'f32') return { model: f32Model(weights) };
  const { calibrationSamples: count, ...strengths } = quantize;
  const smoothing = await cachedSmoothing(folder, inputHash, () =>
    calibrate(weights, calibrationSamples(samples, count), strengths),
  );
  return { model: trainableModel(weights, smoothing), smoothing };
}

/** Smoothing scales are computed once a training: a resumed one must quantize exactly as the first did. */
async function cachedSmoothing(folder: string, inputHash: string, make: () => Promise<Smoothing>): Promise<Smoothing> {
  const path = join(folder, SMOOTHING_FILE);
  if (smoothingMadeFor(path) === inputHash) return loadSmoothing(path);
  const smoothing = await make();
  saveSmoothing(path, smoothing, inputHash);
  return smoothing;
}
