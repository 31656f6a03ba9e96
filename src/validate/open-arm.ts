/** Opens arms: says early what cannot be opened, and loads the models of those that answer here. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { readHubConfig } from '../model/hub-config.ts';
import { loadModel } from '../model/load.ts';
import { type ResolvedModel, resolveModel } from '../model/resolve.ts';
import { f32Model } from '../model/runtime-model.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { type AdaptedModel, f32Student, loadStudent, SMOOTHING_FILE, w8a8Student } from '../quantize/student-model.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { checkServer } from './server-arm.ts';
import type { ArmOrigin, StudentOrigin, TableArm } from './table-arm.ts';

/** An arm that answers on this machine. */
type LocalOrigin = Extract<ArmOrigin, { kind: 'model' | 'student' }>;

/**
 * Passes where the arm could answer: its student is trained and quantized, its model is there with a tokenizer, its server has a
 * key and can be reached. Weights are not loaded and nothing is asked.
 *
 * @throws UserError naming the arm and what is missing
 */
export async function checkArm({ arm, origin }: TableArm, recipe: Recipe, context: RunContext): Promise<void> {
  await openingArm(arm, async () => {
    if (origin.kind === 'teacher') return;
    if (origin.kind === 'server') return checkServer(origin.server, recipe, context.signal);
    if (origin.kind === 'student') checkStudent(origin);
    const { folder } = await modelOf(origin, context);
    readHubConfig(folder);
    await loadTokenizer(folder);
  });
}

/** The arm's model, ready to generate, and the folder with its tokenizer. */
export async function loadArm(
  origin: LocalOrigin,
  context: RunContext,
): Promise<{ model: AdaptedModel; modelFolder: string }> {
  if (origin.kind === 'model') {
    const { folder } = await modelOf(origin, context);
    return { model: { model: f32Model(loadModel(folder)) }, modelFolder: folder };
  }
  const { recipe, folder, student, form } = origin;
  const loaded = await loadStudent(recipe, folder, student.name, context);
  return { model: form === 'f32' ? f32Student(loaded) : w8a8Student(loaded, form), modelFolder: loaded.modelFolder };
}

/** Runs `open`; a UserError out of it names the arm. */
export async function openingArm<T>(arm: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Cannot open arm ${arm}: ${error.message}`, error.hint, { cause: error });
  }
}

function checkStudent({ folder, student: { name }, form }: StudentOrigin): void {
  const home = folder.student(name);
  if (readManifest(home) === undefined) {
    throw new UserError(`student ${name} is not trained: ${home} is not complete`, 'Run `mga train` first');
  }
  if (form !== 'f32' && !existsSync(join(home, SMOOTHING_FILE))) {
    throw new UserError(
      `student ${name} is not quantized: ${home} has no ${SMOOTHING_FILE}`,
      'Run `mga quantize` first',
    );
  }
}

async function modelOf(origin: LocalOrigin, context: RunContext): Promise<ResolvedModel> {
  if (origin.kind === 'student') return resolveModel(studentTrain(origin.recipe, origin.student).model, context);
  return origin.resolved ?? resolveModel(origin.name, context);
}
