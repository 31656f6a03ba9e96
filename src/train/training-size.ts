/** How large a training is before it begins: steps, tokens, memory. */

import { laneCount } from '../engine/lane-count.ts';
import type { TokenSample } from '../engine/token-samples.ts';
import { freeMemory } from '../foundation/free-memory.ts';
import type { ModelConfig } from '../model/config.ts';
import type { TrainSettings } from '../recipe/schema.ts';
import { type MemoryPlan, planMemory } from './memory-plan.ts';
import { largestPass, planSteps } from './plan-steps.ts';
import type { TrainingAhead } from './time-left.ts';

export interface TrainingSize extends TrainingAhead {
  samples: number;
  steps: number;
}

/**
 * @param train samples, or some that stand for all
 * @param documents the document of each sample of the whole training
 * @param devSamples in the whole training
 */
export function trainingSize(
  train: readonly TokenSample[],
  settings: TrainSettings,
  seed: number,
  documents: readonly string[] = train.map(({ docId }) => docId),
  devSamples = 0,
): TrainingSize {
  const mean = train.reduce((sum, { tokens }) => sum + tokens.length, 0) / Math.max(1, train.length);
  const steps = planSteps(documents, settings, seed);
  const seen = steps.reduce((sum, step) => sum + step.length, 0);
  const during = Math.floor(steps.length / settings.evaluateEvery);
  const last = steps.length % settings.evaluateEvery === 0 ? 0 : 1;
  return {
    samples: documents.length,
    steps: steps.length,
    tokens: Math.round(seen * mean),
    devTokens: Math.round(devSamples * mean),
    // Before the first step, now and then, and after the last.
    evaluations: devSamples === 0 ? 0 : 1 + during + last,
  };
}

/**
 * What memory a training takes on this machine, in `train.memory` or what is free.
 *
 * @throws UserError where it cannot fit: with what would
 */
export function planTrainingMemory(
  config: ModelConfig,
  samples: readonly TokenSample[],
  settings: TrainSettings,
  seed: number,
  name: string,
): MemoryPlan {
  const { method, precision, lora, device, threads } = settings;
  const lanes = laneCount({ device, ...(threads ? { threads } : {}) }, config);
  const needs = { config, method, precision, rank: lora.rank, lanes, rows: largestPass(samples, settings, seed) };
  return planMemory(needs, memoryLimit(settings), name);
}

/** Share of the free memory a training takes: other programs want some too. */
const FREE_SHARE = 0.9;

function memoryLimit({ memory }: TrainSettings): number {
  return memory === undefined ? FREE_SHARE * (freeMemory() + process.memoryUsage.rss()) : memory * 1e9;
}
