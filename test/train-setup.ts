/** A student that is trained in seconds, and what tests look at afterwards. */

import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SftRow } from '../src/curate/sft-row.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import type { RunContext } from '../src/foundation/run-context.ts';
import { writeTinyModel } from '../src/model/tiny.ts';
import { recipeSchema, type TrainSettings } from '../src/recipe/schema.ts';
import type { StudentJob } from '../src/train/train.ts';

const TEXTS = [
  'Bees dance to show the others where the flowers are.',
  'The bridge of 1874 was the first to be built of steel.',
  'A loaf is done when it sounds hollow if tapped underneath.',
  'Tides follow the moon, and a little the sun.',
  'Copper turns green where rain reaches it.',
];
const TASKS = ['Say it shorter.', 'Say it as a question.'];

/** Two samples each of so many documents: the document, an instruction, and an answer that repeats a part of it. */
export function sftRows(documents: number, first = 0): SftRow[] {
  return Array.from({ length: documents }, (_, i) => first + i).flatMap((document) =>
    TASKS.map((task, k): SftRow => {
      const text = TEXTS[document % TEXTS.length]!;
      return {
        id: `d${document}/${k}`,
        doc_id: `d${document}`,
        stage: 'reformulate',
        prompt: [{ role: 'user', content: `Document:\n${text}\n\n${task}` }],
        completion: [{ role: 'assistant', content: `${text.slice(0, 20)}${k === 0 ? '.' : '?'}` }],
      };
    }),
  );
}

/** A folder for one test file, with a tiny base model in it. */
export function trainingFolder(): { root: string; base: string } {
  const root = mkdtempSync(join(tmpdir(), 'mga-train-'));
  const base = join(root, 'base');
  writeTinyModel(base);
  return { root, base };
}

/** Six steps of two samples, with checkpoints and dev losses at different ones. */
export function studentJob(base: string, folder: string, settings: Partial<TrainSettings> = {}): StudentJob {
  const { train, quantize } = recipeSchema.shape;
  return {
    name: 'writer',
    folder,
    train: sftRows(3),
    dev: sftRows(1, 3),
    settings: train.parse({
      model: base,
      lora: { rank: 4, alpha: 8 },
      epochs: 2,
      samplesPerStep: 2,
      learningRate: 1e-2,
      checkpointEvery: 2,
      evaluateEvery: 3,
      threads: 1,
      ...settings,
    }),
    quantize: quantize.parse({}),
    seed: 5,
  };
}

/** A context that keeps the events, and shows each to `watch`. */
export function watching(watch: (event: RunEvent, controller: AbortController) => void = () => {}) {
  const controller = new AbortController();
  const events: RunEvent[] = [];
  const context: RunContext = {
    signal: controller.signal,
    emit(event) {
      events.push(event);
      watch(event, controller);
    },
  };
  return { context, events };
}

/** What a training leaves that must not depend on where it was interrupted: what was trained, in bytes, and its losses. */
export function traces(folder: string): { bytes: string; losses: Record<string, number>[] } {
  const files = ['adapter.safetensors', 'model.safetensors'].filter((name) => existsSync(join(folder, name)));
  return { bytes: readFileSync(join(folder, files[0]!)).toString('base64'), losses: lossLines(folder) };
}

/** losses.jsonl, without what a clock says. */
export function lossLines(folder: string): Record<string, number>[] {
  const lines = readFileSync(join(folder, 'losses.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { seconds: _s, ...rest } = JSON.parse(line) as Record<string, number>;
    return rest;
  });
}
