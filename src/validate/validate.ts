/** `mga validate`: teacher, untrained base, student and deployed student on the same inputs, in the table of the paper. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Collected, readCollected } from '../collect/collected.ts';
import { complete } from '../curate/measures/complete.ts';
import { isComplete, readManifest, writeManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { contentHash, sha256 } from '../foundation/hash.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { findEmbedder } from '../model/embedder.ts';
import type { GenerationSettings, Recipe, StudentSettings } from '../recipe/schema.ts';
import { studentGenerate } from '../recipe/student-generate.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { AnyStage } from '../stage/stage.ts';
import { JUDGE_VERSION, judgeStudent } from './choose-judge.ts';
import { armModel, armSource, type GenerateArm, type GeneratingArm, generateArm } from './generate-arm.ts';
import { type GenerationLine, openGenerations, outputKey } from './generations.ts';
import { recipeEmbedder, writeEmbeddings } from './recipe-embedder.ts';
import { renderTables } from './render.ts';
import { scoreStages } from './score-stages.ts';
import { type StageInput, stageInputs, tableStages } from './stage-inputs.ts';
import type { StageTable } from './table.ts';

/** Part of the inputs' identity: raise it when scoring or tables change. */
const VALIDATE_VERSION = 2;

/** Five pairs take more room than one reformulation: recorded ones have 378 tokens at the median, 504 at most; reformulations 237, 572. */
const PAIRS_ROOM = 1.5;

/** What a library caller or a test may replace. */
export interface ValidateParts {
  generateArm?: GenerateArm;
  findEmbedder?: typeof findEmbedder;
}

/** All answers of one arm to one stage. */
interface ArmPlan {
  stage: AnyStage;
  arm: 'teacher' | GeneratingArm;
  model: string;
  student: StudentSettings;
  settings: GenerationSettings;
  inputs: StageInput[];
  /** Hash of what an answer to this input depends on. */
  madeFrom(input: StageInput): string;
}

/**
 * Generates what is missing in validation/generations.jsonl, scores everything (scores.jsonl) and writes table1.json and table1.md. Skipped where complete.
 *
 * @throws UserError where students are not trained or there is nothing to validate on
 * @throws InterruptedError when `context.signal` is aborted; answers made so far are kept
 */
export async function validateStudents(
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  parts: ValidateParts = {},
): Promise<StageTable[] | undefined> {
  const started = performance.now();
  const { emit } = context;
  const collected = await readCollected(recipe, folder);
  const plans = tableStages(recipe).flatMap((stage) => stagePlans(stage, recipe, folder, collected));
  const embedder = await recipeEmbedder(recipe, context, parts.findEmbedder ?? findEmbedder);
  const inputs = {
    version: VALIDATE_VERSION,
    judge: JUDGE_VERSION,
    judgeStudent: judgeStudentHash(recipe, folder),
    seed: recipe.seed,
    validate: recipe.validate,
    embedder: embedder?.sha256,
    further: furtherFiles(recipe).map((path) => sha256(readFileSync(path, 'utf8'))),
    answers: collected.answersHash,
    outputs: contentHash(plans.map((plan) => plan.inputs.map(plan.madeFrom))),
  };
  if (isComplete(folder.validation, inputs)) {
    emit({ type: 'command-skip', command: 'validate', reason: 'the table is complete for these students' });
    return undefined;
  }
  const total = plans.reduce((sum, plan) => sum + plan.inputs.length, 0);
  emit({ type: 'command-start', command: 'validate', detail: `${total} outputs`, total, unit: 'outputs' });
  const lines = await allGenerations(plans, recipe, folder, context, parts.generateArm ?? generateArm);
  const outputsOf = (stage: AnyStage) =>
    plans
      .filter((plan) => plan.stage.name === stage.name)
      .flatMap((plan) => plan.inputs.map((input) => lines.get(planKey(plan, input))!));
  const { tables, items } = await scoreStages(outputsOf, recipe, folder, collected, context, embedder);
  writeFileAtomic(join(folder.validation, 'scores.jsonl'), ...items.map((item) => `${JSON.stringify(item)}\n`));
  writeFileAtomic(folder.table1, `${JSON.stringify(tables, null, 2)}\n`);
  writeFileAtomic(join(folder.validation, 'table1.md'), renderTables(tables, 'markdown'));
  await writeEmbeddings(outputsOf(reformulateStage), recipe, folder, collected, context, embedder);
  const seconds = (performance.now() - started) / 1000;
  writeManifest(folder.validation, { kind: 'validate', inputs, seconds, facts: { outputs: total } });
  emit({ type: 'command-end', command: 'validate', seconds, summary: summarise(tables) });
  return tables;
}

/** Score files the recipe names. @throws UserError where one is not there */
function furtherFiles({ validate }: Recipe): string[] {
  const paths = [validate.secondScores, validate.humanScores].filter((path) => path !== undefined);
  const absent = paths.find((path) => !existsSync(path));
  if (absent !== undefined) {
    throw new UserError(`Cannot read the scores ${absent}: there is no such file`, 'Mend validate in the recipe');
  }
  return paths;
}

/** What the scores also depend on, where a student has learned to judge. */
function judgeStudentHash(recipe: Recipe, folder: RunFolder): string | undefined {
  const student = judgeStudent(recipe);
  return student && (readManifest(folder.student(student.name))?.inputHash ?? 'untrained');
}

function stagePlans(stage: AnyStage, recipe: Recipe, folder: RunFolder, collected: Collected): ArmPlan[] {
  const inputs = stageInputs(stage, recipe, collected);
  const room = stage.name === pairsStage.name ? PAIRS_ROOM : 1;
  return recipe.students
    .filter((student) => student.stages.includes(stage.name))
    .flatMap((student, position) => {
      const { maxTokens, ...sampling } = studentGenerate(recipe, student);
      // A label is a decision: the likeliest answer, not a draw.
      const greedy = stage.labels ? { temperature: 0, repetitionPenalty: 1 } : {};
      const settings = { ...sampling, ...greedy, maxTokens: Math.ceil(maxTokens * room) };
      return (
        recipe.validate.arms
          // Teacher and base are the same whoever the student is: one row each.
          .filter((arm) => position === 0 || arm === 'student' || arm === 'student-w8a8')
          .map((arm): ArmPlan => {
            const plan = { stage, arm, student, settings, inputs };
            if (arm === 'teacher') {
              return { ...plan, model: collected.teacher, madeFrom: ({ teacher }) => contentHash(teacher ?? null) };
            }
            const source = armSource(recipe, folder, arm, student, settings);
            return {
              ...plan,
              model: armModel(recipe, arm, student),
              madeFrom: ({ prompt }) => contentHash({ source, prompt }),
            };
          })
      );
    });
}

/** Every answer of every plan, by plan; those on disk from before are not made again. */
async function allGenerations(
  plans: readonly ArmPlan[],
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  answers: GenerateArm,
): Promise<ReadonlyMap<string, GenerationLine>> {
  const wanted = new Map(
    plans.flatMap((plan) => plan.inputs.map((input) => [planKey(plan, input), plan.madeFrom(input)] as const)),
  );
  const file = openGenerations(
    join(folder.validation, 'generations.jsonl'),
    (line) => wanted.get(outputKey(line)) === line.made_from,
  );
  for (const plan of plans) {
    const missing = plan.inputs.filter((input) => !file.lines.has(planKey(plan, input)));
    const progress = (done: number) =>
      context.emit({
        type: 'command-progress',
        command: 'validate',
        label: `${plan.stage.name} ${plan.arm}`,
        done,
        total: plan.inputs.length,
        unit: 'outputs',
      });
    progress(plan.inputs.length - missing.length);
    if (plan.arm === 'teacher') {
      for (const input of missing) {
        const { text, complete: whole } = input.teacher ?? { text: '', complete: false };
        file.add(lineOf(plan, input, { text, complete: whole, tokens: 0, seconds: 0 }));
      }
    } else if (missing.length > 0) {
      const byItem = new Map(missing.map((input) => [input.item, input]));
      const prompts = missing.map(({ item, prompt }) => ({ item, messages: prompt }));
      const { arm, student, settings } = plan;
      let done = plan.inputs.length - missing.length;
      const { finished, labels } = plan.stage;
      const task = {
        recipe,
        folder,
        arm,
        student,
        settings,
        prompts,
        ...(finished && { finished }),
        ...(labels && { labels: labels.fields }),
      };
      for await (const answer of answers(task, context)) {
        const { item, text, stopped, tokens, seconds, confidence } = answer;
        const input = byItem.get(item)!;
        // Five pairs say the same words in every field; what is no prose is valid or not, and no loop.
        const whole = plan.stage.prose ? complete(text, stopped) : stopped;
        file.add(lineOf(plan, input, { text, complete: whole, tokens, seconds, ...(confidence && { confidence }) }));
        context.emit({ type: 'sample-made', stage: plan.stage.name, source: arm, docId: input.document.id, text });
        progress(++done);
        if (context.signal.aborted) throw new InterruptedError();
      }
    }
    progress(plan.inputs.length);
    if (context.signal.aborted) throw new InterruptedError();
  }
  return file.lines;
}

function planKey({ arm, stage, model }: ArmPlan, { item }: StageInput): string {
  return outputKey({ arm, stage: stage.name, model, item });
}

function lineOf(
  plan: ArmPlan,
  input: StageInput,
  answer: Pick<GenerationLine, 'text' | 'complete' | 'tokens' | 'seconds' | 'confidence'>,
): GenerationLine {
  return {
    arm: plan.arm,
    model: plan.model,
    stage: plan.stage.name,
    doc_id: input.document.id,
    item: input.item,
    ...input.pair,
    ...answer,
    made_from: plan.madeFrom(input),
  };
}

/** What the share of a table counts; else usable texts. */
const COUNTED: Readonly<Record<string, string>> = { validity: 'valid', labels: 'as the teacher' };

function summarise(tables: readonly StageTable[]): string {
  const share = (value: number) => `${(100 * value).toFixed(1)}%`;
  return tables
    .map((table) => {
      const rows = table.rows.map((row) => `${row.arm} ${share(row.usable ?? row.rate)}`);
      return `${table.stage}: ${COUNTED[table.judge.kind] ?? 'usable'} ${rows.join(', ')}`;
    })
    .join('; ');
}
