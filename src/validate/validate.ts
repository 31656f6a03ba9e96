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
import type { Recipe } from '../recipe/schema.ts';
import { tableStages } from '../stage/recipe-stages.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { AnyStage, ChatMessage } from '../stage/stage.ts';
import type { GenerateArm } from './arm-task.ts';
import { JUDGE_VERSION, judgeStudent } from './choose-judge.ts';
import { generateArm } from './generate-arm.ts';
import { type GenerationLine, openGenerations, outputKey } from './generations.ts';
import { checkArm } from './open-arm.ts';
import { ratingsHash } from './ratings.ts';
import { recipeEmbedder, writeEmbeddings } from './recipe-embedder.ts';
import { renderTables } from './render.ts';
import { scoreStages } from './score-stages.ts';
import { promptsOf, type StageInput, stageInputs } from './stage-inputs.ts';
import type { StageTable } from './table.ts';
import type { TableArm } from './table-arm.ts';
import { tableArms } from './table-arms.ts';

/** Part of the inputs' identity: raise it when scoring or tables change. */
const VALIDATE_VERSION = 3;

/** What a library caller or a test may replace. A stand-in opens nothing, so that nothing is checked before it answers. */
export interface ValidateParts {
  generateArm?: GenerateArm;
  findEmbedder?: typeof findEmbedder;
}

/** All answers of one arm to one stage. */
interface ArmPlan extends TableArm {
  stage: AnyStage;
  inputs: StageInput[];
  messages(input: StageInput): ChatMessage[];
  /** Hash of what an answer to this input depends on. */
  madeFrom(input: StageInput): string;
}

/**
 * Generates what is missing in validation/generations.jsonl, scores everything (scores.jsonl) and writes table1.json and table1.md. Skipped where complete.
 *
 * @throws UserError where an arm cannot be opened (before anything is generated) or there is nothing to validate on
 * @throws InterruptedError when `context.signal` is aborted; answers made so far are kept
 */
export async function validateStudents(
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  parts: ValidateParts = {},
): Promise<StageTable[] | undefined> {
  return validateOn(await readCollected(recipe, folder), recipe, folder, context, parts);
}

/**
 * The same on answers that were read already. Documents are those of `collected.splits.validation`, whatever split of the run
 * they are; files go to `folder.validation`.
 */
export async function validateOn(
  collected: Collected,
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  parts: ValidateParts = {},
): Promise<StageTable[] | undefined> {
  const started = performance.now();
  const { emit } = context;
  const plans: ArmPlan[] = [];
  for (const stage of tableStages(recipe)) plans.push(...(await stagePlans(stage, recipe, folder, collected, context)));
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
    ratings: ratingsHash(collected.ratings),
    outputs: contentHash(plans.map((plan) => plan.inputs.map(plan.madeFrom))),
  };
  if (isComplete(folder.validation, inputs)) {
    emit({ type: 'command-skip', command: 'validate', reason: 'the table is complete for these students' });
    return undefined;
  }
  const total = plans.reduce((sum, plan) => sum + plan.inputs.length, 0);
  emit({ type: 'command-start', command: 'validate', detail: `${total} outputs`, total, unit: 'outputs' });
  const lines = await allGenerations(plans, recipe, folder, context, parts.generateArm);
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

async function stagePlans(
  stage: AnyStage,
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
): Promise<ArmPlan[]> {
  const inputs = stageInputs(stage, recipe, collected);
  const arms = await tableArms(stage, { recipe, folder }, collected.teacher, context);
  return arms.map((arm): ArmPlan => {
    const messages = (input: StageInput) => {
      const { prompt, teacherPrompt } = arm.asked === stage ? input : promptsOf(arm.asked, input.document, input.pair);
      return arm.prompt === 'teacher' ? teacherPrompt : prompt;
    };
    const plan = { ...arm, stage, inputs, messages };
    if (arm.origin.kind === 'teacher') return { ...plan, madeFrom: ({ teacher }) => contentHash(teacher ?? null) };
    return { ...plan, madeFrom: (input) => contentHash({ source: arm.source, prompt: messages(input) }) };
  });
}

/** Every answer of every plan, by plan; those on disk from before are not made again. */
async function allGenerations(
  plans: readonly ArmPlan[],
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  standIn: GenerateArm | undefined,
): Promise<ReadonlyMap<string, GenerationLine>> {
  const wanted = new Map(
    plans.flatMap((plan) => plan.inputs.map((input) => [planKey(plan, input), plan.madeFrom(input)] as const)),
  );
  const file = openGenerations(
    join(folder.validation, 'generations.jsonl'),
    (line) => wanted.get(outputKey(line)) === line.made_from,
  );
  const missingOf = (plan: ArmPlan) => plan.inputs.filter((input) => !file.lines.has(planKey(plan, input)));
  if (standIn === undefined) {
    for (const plan of plans) if (missingOf(plan).length > 0) await checkArm(plan, recipe, context);
  }
  const answers = standIn ?? generateArm;
  for (const plan of plans) {
    const missing = missingOf(plan);
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
    if (plan.origin.kind === 'teacher') {
      for (const input of missing) {
        const { text, complete: whole } = input.teacher ?? { text: '', complete: false };
        file.add(lineOf(plan, input, { text, complete: whole, tokens: 0, seconds: 0 }));
      }
    } else if (missing.length > 0) {
      const byItem = new Map(missing.map((input) => [input.item, input]));
      const prompts = missing.map((input) => ({
        item: input.item,
        docId: input.document.id,
        messages: plan.messages(input),
      }));
      let done = plan.inputs.length - missing.length;
      const { finished } = plan.stage;
      const task = { ...plan, recipe, folder, prompts, ...(finished && { finished }) };
      for await (const answer of answers(task, context)) {
        const { item, text, stopped, tokens, seconds, confidence } = answer;
        const input = byItem.get(item)!;
        // Five pairs say the same words in every field; what is no prose is valid or not, and no loop.
        const whole = plan.stage.prose ? complete(text, stopped) : stopped;
        file.add(lineOf(plan, input, { text, complete: whole, tokens, seconds, ...(confidence && { confidence }) }));
        context.emit({ type: 'sample-made', stage: plan.stage.name, source: plan.arm, docId: input.document.id, text });
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
