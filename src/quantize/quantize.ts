/** `mga quantize`: every student on the W8A8 grid, and what that costs in dev loss, form by form. */

import { join } from 'node:path';
import { readSft } from '../curate/sft-arrow.ts';
import type { SftRow } from '../curate/sft-row.ts';
import { Engine } from '../engine/engine.ts';
import { evaluateLoss } from '../engine/evaluate.ts';
import { type TokenSample, tokenizeRows } from '../engine/token-samples.ts';
import { isComplete, readManifest, writeManifest } from '../foundation/artifact.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { adapterScale } from '../model/adapter.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import type { Recipe } from '../recipe/schema.ts';
import { calibrate, calibrationSamples } from './calibrate.ts';
import { saveSmoothing } from './smoothing-file.ts';
import {
  type AdaptedModel,
  f32Student,
  loadStudent,
  SMOOTHING_FILE,
  type Student,
  w8a8Student,
} from './student-model.ts';

/** Dev samples the forms are compared on: enough to rank them, little enough to be quick. */
const COMPARED_SAMPLES = 12;

/** Dev loss of each form, in nats a token. */
export interface QuantizeFacts {
  f32: number;
  /** Null where there is no adapter to stand beside the weights. */
  w8a8_beside: number | null;
  w8a8_merged: number;
}

/** Calibrates what training has not, and measures each form. The manifest lies in students/<name>/w8a8. */
export async function quantizeStudents(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<void> {
  for (const { name, stages } of recipe.students) {
    const home = join(folder.student(name), 'w8a8');
    const trained = readManifest(folder.student(name))?.inputHash;
    const inputs = { student: trained ?? null, quantize: recipe.quantize };
    if (trained && isComplete(home, inputs)) {
      context.emit({ type: 'command-skip', command: 'quantize', reason: `${name} is quantized` });
      continue;
    }
    const started = performance.now();
    context.emit({ type: 'command-start', command: 'quantize', detail: name });
    const rows = (split: 'train' | 'dev') =>
      stages.flatMap((stage) => readSft(folder.sft(folder.currentRound, stage, split)));
    const student = await calibrated(recipe, folder, name, rows('train'), context);
    const dev = (await tokens(student, rows('dev'))).slice(0, COMPARED_SAMPLES);
    const lossOf = async (form: AdaptedModel) => {
      if (context.signal.aborted) throw new InterruptedError();
      const engine = new Engine(form.model, form.adapter ? { lora: form.adapter } : {});
      const loss = await evaluateLoss(engine, form.adapter?.layers ?? [], dev, context.signal);
      await engine.release();
      return loss;
    };
    const facts: QuantizeFacts = {
      f32: await lossOf(f32Student(student)),
      w8a8_beside: student.adapter ? await lossOf(w8a8Student(student, 'beside')) : null,
      w8a8_merged: await lossOf(w8a8Student(student, 'merged')),
    };
    if (context.signal.aborted) throw new InterruptedError();
    const seconds = (performance.now() - started) / 1000;
    writeManifest(home, { kind: 'quantize', inputs, facts: { ...facts }, seconds });
    const merged = facts.w8a8_merged.toFixed(4);
    const forms = facts.w8a8_beside === null ? merged : `beside ${facts.w8a8_beside.toFixed(4)}, merged ${merged}`;
    const summary = `${name}: dev loss f32 ${facts.f32.toFixed(4)}, w8a8 ${forms}`;
    context.emit({ type: 'command-end', command: 'quantize', seconds, summary });
  }
}

/** The student with smoothing scales: those it was trained through, or (f32 training) new ones of the adapted model. */
async function calibrated(
  recipe: Recipe,
  folder: RunFolder,
  name: string,
  rows: SftRow[],
  context: RunContext,
): Promise<Student> {
  const student = await loadStudent(recipe, folder, name, context);
  if (student.settings.precision === 'w8a8') return student;
  const { calibrationSamples: count, ...strengths } = recipe.quantize;
  const { adapter } = student;
  const smoothing = await calibrate(student.weights, calibrationSamples(await tokens(student, rows), count), {
    ...strengths,
    ...(adapter ? { adapter: { layers: adapter.layers, rank: adapter.rank, scale: adapterScale(adapter) } } : {}),
  });
  saveSmoothing(join(folder.student(name), SMOOTHING_FILE), smoothing);
  return { ...student, smoothing };
}

async function tokens(student: Student, rows: SftRow[]): Promise<readonly TokenSample[]> {
  const tokenizer = await loadTokenizer(student.modelFolder);
  return tokenizeRows(rows, tokenizer, student.settings.maxTokens).samples;
}
