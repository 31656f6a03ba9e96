/** The loss of every token of plain texts under a checkpoint: a model as it is, or a trained student's folder. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../engine/engine.ts';
import { tokenLosses } from '../engine/evaluate.ts';
import { readManifest } from '../foundation/artifact.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { runFolder } from '../foundation/run-folder.ts';
import { loadModel } from '../model/load.ts';
import { resolveModel } from '../model/resolve.ts';
import { f32Model } from '../model/runtime-model.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { type AdaptedModel, f32Student, loadStudentFolder } from '../quantize/student-model.ts';

export interface CheckpointLosses {
  /** The tokens of each text; losses are those of all but the first. */
  readonly tokens: readonly (readonly number[])[];
  /** Nats, by text and token. */
  readonly losses: readonly (readonly number[])[];
}

/**
 * @param name alias, hub id, model folder or GGUF file; or the folder of a trained student, which is taken in f32
 * @param maxTokens longer texts are cut there
 * @throws UserError where there is no such checkpoint
 * @throws InterruptedError
 */
export async function checkpointLosses(
  name: string,
  texts: readonly string[],
  { maxTokens, threads }: { maxTokens: number; threads?: number },
  context: RunContext,
): Promise<CheckpointLosses> {
  const { form, modelFolder } = await openCheckpoint(name, context);
  const tokenizer = await loadTokenizer(modelFolder);
  const tokens = texts.map((text) => tokenizer.encodeDocument(text).slice(0, maxTokens));
  const engine = new Engine(form.model, {
    ...(form.adapter ? { lora: form.adapter } : {}),
    ...(threads === undefined ? {} : { threads }),
  });
  const losses: number[][] = [];
  try {
    const samples = tokens.map((ids) => ({ tokens: ids, labelsFrom: 1 }));
    for await (const own of tokenLosses(engine, form.adapter?.layers ?? [], samples, context.signal)) {
      losses.push(own);
      const progress = { label: name, done: losses.length, total: texts.length, unit: 'texts' };
      context.emit({ type: 'command-progress', command: 'validate', ...progress });
    }
  } finally {
    await engine.release();
  }
  return { tokens, losses };
}

async function openCheckpoint(name: string, context: RunContext): Promise<{ form: AdaptedModel; modelFolder: string }> {
  if (existsSync(name)) {
    if (readManifest(name)?.kind === 'train') {
      const student = await loadStudentFolder(name, context);
      return { form: f32Student(student), modelFolder: student.modelFolder };
    }
    const students = existsSync(runFolder(name).recipe) ? studentFolders(name) : undefined;
    if (students !== undefined) {
      throw new UserError(
        `Cannot use ${name} as a checkpoint: it is the folder of a run`,
        students.length > 0 ? `Name a student of it: ${students.join(', ')}` : 'Train its students first: mga train',
      );
    }
  }
  const { folder } = await resolveModel(name, context);
  return { form: { model: f32Model(loadModel(folder)) }, modelFolder: folder };
}

function studentFolders(run: string): string[] {
  const home = join(run, 'students');
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .map((name) => join(home, name))
    .filter((path) => readManifest(path)?.kind === 'train');
}
