/** One row of a stage's table before anyone has answered: who answers, with what sampling, to which prompt. */

import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { ResolvedModel } from '../model/resolve.ts';
import type { ReformulatePromptName } from '../recipe/reformulate-prompt-names.ts';
import type { ArmSettings, GenerationSettings, Recipe, StudentSettings } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage, reformulateStageWith } from '../stage/reformulate.ts';
import type { AnyStage } from '../stage/stage.ts';

/** A section of `validate.arms`. */
export type FurtherArm = Exclude<ArmSettings, string>;

export type ServerArm = Extract<FurtherArm, { kind: 'server' }>;

/** A trained student in the form in which it answers: f32, or int8 with its adapter beside or merged. */
export interface StudentOrigin {
  kind: 'student';
  recipe: Recipe;
  folder: RunFolder;
  student: StudentSettings;
  form: 'f32' | 'beside' | 'merged';
}

/** Where answers come from. */
export type ArmOrigin =
  | { kind: 'teacher' }
  /** A model as it is; `resolved` where it has been looked for already. */
  | { kind: 'model'; name: string; resolved?: ResolvedModel }
  | StudentOrigin
  | { kind: 'server'; server: ServerArm };

export interface TableArm {
  /** Its name. */
  arm: string;
  /** Its model, for people. */
  model: string;
  origin: ArmOrigin;
  /** The stage as this arm is asked it: it may have another variant of the prompt than the run. */
  asked: AnyStage;
  prompt: 'student' | 'teacher';
  /** Sampling; a server has its own. */
  settings: GenerationSettings;
  /** Hash of what answers depend on besides prompts: answers of another model or other sampling are not reused. */
  source: string;
}

/** What the arms of a stage share. */
export interface StageArms {
  stage: AnyStage;
  recipe: Recipe;
  folder: RunFolder;
  /** The student of this run that learnt the stage. */
  student: StudentSettings;
}

/** Five pairs take more room than one reformulation: recorded ones have 378 tokens at the median, 504 at most; reformulations 237, 572. */
const PAIRS_ROOM = 1.5;

/** The stage in another variant of its prompt, where it has variants. */
export function variantOf(stage: AnyStage, prompt: ReformulatePromptName | undefined): AnyStage {
  return prompt !== undefined && stage.name === reformulateStage.name ? reformulateStageWith(prompt) : stage;
}

/** Names a model for people, with the variant it was asked in where that is not the run's. */
export function askedName(model: string, asked: AnyStage, stage: AnyStage): string {
  return asked.promptVersion === stage.promptVersion ? model : `${model}, asked ${asked.promptVersion}`;
}

/** The sampling of a stage. */
export function stageSampling(stage: AnyStage, settings: GenerationSettings): GenerationSettings {
  const room = stage.name === pairsStage.name ? PAIRS_ROOM : 1;
  // A label is a decision: the likeliest answer, not a draw.
  const greedy = stage.labels ? { temperature: 0, repetitionPenalty: 1 } : {};
  return { ...settings, ...greedy, maxTokens: Math.ceil(settings.maxTokens * room) };
}

/** The temperature a server is asked with: like the teacher's, that of the stage where it has one. */
export function serverTemperature({ temperature }: AnyStage, server: ServerArm): number {
  return temperature ?? server.temperature;
}

/** How many sequences are decoded together changes no token. */
export function samplingOf({ batch: _, ...sampling }: GenerationSettings) {
  return sampling;
}

/** `TableArm.source` of a student. */
export function studentSource(seed: number, settings: GenerationSettings, origin: StudentOrigin): string {
  const { recipe, folder, student, form } = origin;
  const made = (path: string) => readManifest(path)?.inputHash ?? null;
  const home = folder.student(student.name);
  return contentHash({
    seed,
    sampling: samplingOf(settings),
    model: studentTrain(recipe, student).model,
    student: made(home),
    ...(form === 'f32' ? {} : { quantized: made(join(home, 'w8a8')), adapter: form }),
  });
}

/** The model and where it runs: two servers may call different models alike. */
export function serverName({ model, baseUrl }: ServerArm): string {
  return `${model} at ${new URL(baseUrl).host}`;
}
