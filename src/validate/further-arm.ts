/** Arms from outside the run: any model, the student of another run, an OpenAI-compatible server. */

import { basename } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import { contentHash } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { runFolder } from '../foundation/run-folder.ts';
import { resolveModel } from '../model/resolve.ts';
import { readResolvedRecipe } from '../recipe/resolved.ts';
import type { GenerationSettings } from '../recipe/schema.ts';
import { studentGenerate } from '../recipe/student-generate.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { learntStages, tableStages } from '../stage/recipe-stages.ts';
import type { AnyStage } from '../stage/stage.ts';
import { openingArm } from './open-arm.ts';
import {
  askedName,
  type FurtherArm,
  type ServerArm,
  type StageArms,
  type StudentOrigin,
  samplingOf,
  serverName,
  serverTemperature,
  stageSampling,
  studentSource,
  type TableArm,
  variantOf,
} from './table-arm.ts';

/** The arm; undefined where it has no row in this stage's table. @throws UserError naming what is not there */
export async function furtherArm(
  arm: FurtherArm,
  shared: StageArms,
  context: RunContext,
): Promise<TableArm | undefined> {
  const { stage, recipe, student } = shared;
  if (arm.stages !== undefined && !arm.stages.includes(stage.name)) return undefined;
  const sampling = studentGenerate(recipe, student);
  if (arm.kind === 'server') return serverArm(arm, stage, stageSampling(stage, sampling));
  const overrides = Object.entries(arm.generate ?? {}).filter(([, value]) => value !== undefined);
  const settings = stageSampling(stage, { ...sampling, ...Object.fromEntries(overrides) });
  if (arm.kind === 'run') return openingArm(arm.name, async () => otherRunsStudent(arm, settings, shared));
  const resolved = await openingArm(arm.name, () => resolveModel(arm.model, context));
  const asked = variantOf(stage, arm.variant);
  return {
    arm: arm.name,
    model: askedName(arm.model, asked, stage),
    origin: { kind: 'model', name: arm.model, resolved },
    asked,
    prompt: arm.prompt,
    settings,
    source: contentHash({ seed: recipe.seed, sampling: samplingOf(settings), sha256: resolved.sha256 }),
  };
}

function serverArm(server: ServerArm, stage: AnyStage, settings: GenerationSettings): TableArm {
  const { name, model, baseUrl, prompt, variant } = server;
  const asked = variantOf(stage, variant);
  return {
    arm: name,
    model: askedName(serverName(server), asked, stage),
    origin: { kind: 'server', server },
    asked,
    prompt,
    settings,
    source: contentHash({ server: baseUrl, model, temperature: serverTemperature(stage, server) }),
  };
}

function otherRunsStudent(
  { name, run, student, precision, stages }: Extract<FurtherArm, { kind: 'run' }>,
  settings: GenerationSettings,
  { stage, recipe }: StageArms,
): TableArm | undefined {
  const folder = runFolder(run);
  const other = readResolvedRecipe(folder);
  const meant = other.students.filter((one) => student === undefined || one.name === student);
  const chosen = meant.find((one) => one.stages.includes(stage.name));
  if (chosen === undefined) {
    const elsewhere = tableStages(recipe).some((one) => meant.some(({ stages: learnt }) => learnt.includes(one.name)));
    if (stages === undefined && elsewhere) return undefined;
    const found = other.students.map((one) => `${one.name} (${one.stages.join(', ')})`).join(', ');
    throw new UserError(
      `the run ${run} has no student ${student === undefined ? '' : `${student} `}for ${stage.name}; its students are ${found}`,
      'Mend student and stages of the arm in validate.arms',
    );
  }
  const { model } = studentTrain(other, chosen);
  const form = precision === 'f32' ? 'f32' : other.export.adapter;
  const origin: StudentOrigin = { kind: 'student', recipe: other, folder, student: chosen, form };
  // A student is asked what it has learnt to answer.
  const asked = learntStages(other).find((one) => one.name === stage.name) ?? stage;
  return {
    arm: name,
    model: askedName(`${chosen.name} of ${basename(folder.root)} (${model})`, asked, stage),
    origin,
    asked,
    prompt: 'student',
    settings,
    source: studentSource(recipe.seed, settings, origin),
  };
}
