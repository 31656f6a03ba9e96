/** A trained student, put together again from its folder: in f32, or on the W8A8 grid it is deployed on. */

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { type Adapter, adapterScale } from '../model/adapter.ts';
import { loadAdapter } from '../model/adapter-file.ts';
import type { ModelWeights } from '../model/config.ts';
import { readHubConfig } from '../model/hub-config.ts';
import { loadModel } from '../model/load.ts';
import { mergeAdapter } from '../model/merge-adapter.ts';
import { type ResolveContext, resolveModel } from '../model/resolve.ts';
import { f32Model, type RuntimeModel } from '../model/runtime-model.ts';
import { type Recipe, recipeSchema, type TrainSettings } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { quantizedModel, type Smoothing } from './smooth-quant.ts';
import { loadSmoothing } from './smoothing-file.ts';

export interface Student {
  readonly name: string;
  readonly settings: TrainSettings;
  /** The base's; the student's own where all weights were trained. */
  readonly weights: ModelWeights;
  /** The base's hub-style folder (tokenizer, config), and the hash of its weights. */
  readonly modelFolder: string;
  readonly sha256: string;
  /** For the base as it is, not smoothed. Undefined where all weights were trained. */
  readonly adapter: Adapter | undefined;
  /** Scales the int8 model is made with; undefined before `mga quantize` where training was in f32. */
  readonly smoothing: Smoothing | undefined;
}

/** A model and the adapter beside it, as engine and generation take them. */
export interface AdaptedModel {
  readonly model: RuntimeModel;
  readonly adapter?: { readonly layers: Adapter['layers']; readonly rank: number; readonly scale: number };
}

export const SMOOTHING_FILE = 'smoothing.safetensors';

/** Loads the student called `name`. @throws UserError where it is not trained */
export async function loadStudent(
  recipe: Recipe,
  folder: RunFolder,
  name: string,
  context: RunContext,
): Promise<Student> {
  const home = folder.student(name);
  const student = recipe.students.find((one) => one.name === name);
  if (!student)
    throw new UserError(`Cannot load student ${name}: the recipe has ${recipe.students.map((s) => s.name).join(', ')}`);
  if (!readManifest(home))
    throw new UserError(`Cannot load student ${name}: ${home} is not complete`, 'Run `mga train` first');
  return readStudent(name, home, studentTrain(recipe, student), context);
}

/**
 * Loads a trained student by its folder alone: `students/<name>` of a run, or what `mga train --sft` left.
 *
 * @throws UserError where the folder holds no complete training
 */
export async function loadStudentFolder(home: string, context: ResolveContext): Promise<Student> {
  const manifest = readManifest(home);
  const settings = recipeSchema.shape.train.safeParse(manifest?.inputs.settings);
  if (manifest?.kind !== 'train' || !settings.success) {
    throw new UserError(`Cannot load a student from ${home}: no training was completed in it`, 'Run `mga train` first');
  }
  return readStudent(basename(home), home, settings.data, context);
}

async function readStudent(
  name: string,
  home: string,
  settings: TrainSettings,
  context: ResolveContext,
): Promise<Student> {
  const { folder: modelFolder, sha256 } = await resolveModel(settings.model, context);
  const smoothingPath = join(home, SMOOTHING_FILE);
  const smoothing = existsSync(smoothingPath) ? loadSmoothing(smoothingPath) : undefined;
  const known = { name, settings, modelFolder, sha256, smoothing };
  if (settings.method === 'full') {
    return { ...known, weights: loadModel(home, readHubConfig(modelFolder)), adapter: undefined };
  }
  const weights = loadModel(modelFolder);
  const trained = loadAdapter(join(home, 'adapter.safetensors'), weights.config);
  const adapter = settings.precision === 'w8a8' ? scaleAdapter(trained, smoothing!, 'unsmooth') : trained;
  return { ...known, weights, adapter };
}

/** The student's weights in f32, an adapter merged into them. */
export function mergedWeights({ weights, adapter }: Pick<Student, 'weights' | 'adapter'>): ModelWeights {
  return adapter ? mergeAdapter(weights, adapter) : weights;
}

/** The student in f32: the base as it is, the adapter beside it. */
export function f32Student({ weights, adapter }: Pick<Student, 'weights' | 'adapter'>): AdaptedModel {
  return adapter ? { model: f32Model(weights), adapter: beside(adapter) } : { model: f32Model(weights) };
}

/**
 * The student on the W8A8 grid: the adapter beside the int8 base (what was trained), or merged into the f32 weights and
 * rounded with them. Where there is no adapter, both are the rounded weights.
 */
export function w8a8Student(student: Student, form: 'beside' | 'merged'): AdaptedModel {
  const { weights, adapter, smoothing, name } = student;
  if (!smoothing)
    throw new UserError(`Cannot quantize student ${name}: it is not calibrated`, 'Run `mga quantize` first');
  if (form === 'merged' || !adapter) return { model: quantizedModel(mergedWeights(student), smoothing) };
  return { model: quantizedModel(weights, smoothing), adapter: beside(scaleAdapter(adapter, smoothing, 'smooth')) };
}

function beside(adapter: Adapter): NonNullable<AdaptedModel['adapter']> {
  return { layers: adapter.layers, rank: adapter.rank, scale: adapterScale(adapter) };
}

/**
 * The same adapter for the smoothed or the original base: (x / s) A' = x (A' / s), so rows of A are divided by s to
 * unsmooth, multiplied to smooth. The outputs of up, divided by down's scales in the smoothed base, are so in its B.
 */
export function scaleAdapter(adapter: Adapter, smoothing: Smoothing, direction: 'smooth' | 'unsmooth'): Adapter {
  const layers = adapter.layers.map((parameters, layer) => {
    const scaled = { ...parameters };
    const change = (name: string, isMultiplied: boolean, scale: (row: number, column: number) => number) => {
      const { data, shape, dtype } = parameters[name]!;
      const width = shape[1]!;
      const changed = (data as Float32Array).map((x, i) => {
        const s = scale(Math.floor(i / width), i % width);
        return isMultiplied ? x * s : x / s;
      });
      scaled[name] = { dtype, shape, data: changed };
    };
    const { qkv, gateUp, down } = smoothing[layer]!;
    const smooths = direction === 'smooth';
    change('qkv.A', smooths, (row) => qkv[row]!);
    change('gateUp.A', smooths, (row) => gateUp[row]!);
    if (down) {
      change('down.A', smooths, (row) => down[row]!);
      change('gateUp.B.up', !smooths, (_, column) => down[column]!);
    }
    return scaled;
  });
  return { ...adapter, layers };
}
