/** An arm's answers: the untrained base, the student, or the student as deployed, generating for a stage's inputs. */

import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { generate } from '../generate/generate.ts';
import { loadModel } from '../model/load.ts';
import { resolveModel } from '../model/resolve.ts';
import { f32Model } from '../model/runtime-model.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { type AdaptedModel, f32Student, loadStudent, w8a8Student } from '../quantize/student-model.ts';
import type { LabelField } from '../recipe/label-fields.ts';
import type { GenerationSettings, Recipe, StudentSettings } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import type { ChatMessage } from '../stage/stage.ts';
import { labelConfidence } from './label-confidence.ts';

export type GeneratingArm = Exclude<Recipe['validate']['arms'][number], 'teacher'>;

export interface ArmTask {
  recipe: Recipe;
  folder: RunFolder;
  arm: GeneratingArm;
  student: StudentSettings;
  settings: GenerationSettings;
  /** A response up to where it holds all the stage asks for, see `Stage.finished`. */
  finished?: (response: string) => string | undefined;
  /** Fields of a label stage, for their confidence. */
  labels?: readonly LabelField[];
  prompts: readonly { item: string; messages: ChatMessage[] }[];
}

export interface ArmAnswer {
  item: string;
  text: string;
  /** Where `labels` were asked for: how sure the model was of each field. */
  confidence?: Record<string, number>;
  /** Ended by an end token, not by the limit. */
  stopped: boolean;
  tokens: number;
  seconds: number;
}

/** How an arm answers; answers come as they end, in any order. */
export type GenerateArm = (task: ArmTask, context: RunContext) => AsyncIterable<ArmAnswer>;

/** Answers with the run's models. The same input has the same random stream in every arm. */
export const generateArm: GenerateArm = async function* (task, context) {
  const { recipe, prompts, settings, finished, labels } = task;
  const { model, modelFolder } = await loadArm(task, context);
  const tokenizer = await loadTokenizer(modelFolder);
  const requests = prompts.map(({ item, messages }) => ({
    id: item,
    prompt: tokenizer.chatPrompt(messages),
    seed: `${recipe.seed}/validate/${item}`,
  }));
  const options = {
    ...context,
    eosTokenIds: tokenizer.eosTokenIds,
    logprobs: labels !== undefined,
    ...(finished && { finished: (tokens: readonly number[]) => finished(tokenizer.decode(tokens)) !== undefined }),
  };
  for await (const { id, tokens, complete, logprobs = [], seconds } of generate(model, requests, settings, options)) {
    const response = tokenizer.decode(tokens);
    const text = finished?.(response) ?? response;
    const written = logprobs.map((logprob, i) => ({ end: tokenizer.decode(tokens.slice(0, i + 1)).length, logprob }));
    const confidence = labels && { confidence: labelConfidence(text, labels, written) };
    yield { item: id, text, ...confidence, stopped: complete, tokens: tokens.length, seconds };
  }
};

async function loadArm(
  { recipe, folder, arm, student }: ArmTask,
  context: RunContext,
): Promise<{ model: AdaptedModel; modelFolder: string }> {
  if (arm === 'base') {
    const { folder: modelFolder } = await resolveModel(studentTrain(recipe, student).model, context);
    return { model: { model: f32Model(loadModel(modelFolder)) }, modelFolder };
  }
  const loaded = await loadStudent(recipe, folder, student.name, context);
  const model = arm === 'student' ? f32Student(loaded) : w8a8Student(loaded, recipe.export.adapter);
  return { model, modelFolder: loaded.modelFolder };
}

/** The arm's model, for people. */
export function armModel(recipe: Recipe, arm: GeneratingArm, student: StudentSettings): string {
  const { model } = studentTrain(recipe, student);
  return arm === 'base' ? model : `${student.name} (${model})`;
}

/** Hash of what an arm's answers depend on besides their prompts: answers of another model or other sampling are not reused. */
export function armSource(
  recipe: Recipe,
  folder: RunFolder,
  arm: GeneratingArm,
  student: StudentSettings,
  settings: GenerationSettings,
): string {
  // How many sequences are decoded together changes no token.
  const { batch: _, ...sampling } = settings;
  const made = (path: string) => readManifest(path)?.inputHash ?? null;
  const home = folder.student(student.name);
  return contentHash({
    seed: recipe.seed,
    sampling,
    model: studentTrain(recipe, student).model,
    ...(arm === 'base' ? {} : { student: made(home) }),
    ...(arm === 'student-w8a8' ? { quantized: made(join(home, 'w8a8')), adapter: recipe.export.adapter } : {}),
  });
}
