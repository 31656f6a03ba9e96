/** `mga validate`: every arm answers the same inputs, one judge scores them blind, the table says what was lost. */

import { join } from 'node:path';
import { readCollected } from '../collect/collected.ts';
import { COPIED_LIMIT, copiedShare } from '../curate/measures/copied-share.ts';
import { isComplete, readManifest, writeManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { InterruptedError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Judge } from '../judge/judge.ts';
import type { Recipe } from '../recipe/schema.ts';
import { pairsStage } from '../stage/pairs.ts';
import type { StageName } from '../stage/stage.ts';
import { createJudge } from './create-judge.ts';
import { studentOutputs, teacherOutputs } from './generate-arm.ts';
import { type GenerationLine, GenerationsFile } from './generations-file.ts';
import { type ValidationInput, validationInputs } from './inputs.ts';
import { renderTables } from './render.ts';
import { PASSING_SCORE, type ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable } from './table.ts';

/** The stages whose students write texts or pairs; a judge student is measured by its agreement, not by this table. */
const VALIDATED: readonly StageName[] = ['pairs', 'reformulate'];

/** Writes generations.jsonl, scores.jsonl, table1.json and table1.md. */
export async function validateStudents(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<StageTable[]> {
  const { emit, signal } = context;
  const started = performance.now();
  const collected = await readCollected(recipe, folder);
  const stages = VALIDATED.filter((stage) => recipe.students.some(({ stages }) => stages.includes(stage)));
  const inputs = {
    validate: recipe.validate,
    generate: recipe.generate,
    form: recipe.export.adapter,
    seed: recipe.seed,
    answers: collected.answersHash,
    students: recipe.students.map(({ name }) => readManifest(folder.student(name))?.inputHash ?? null),
  };
  if (isComplete(folder.validation, inputs)) {
    emit({ type: 'command-skip', command: 'validate', reason: 'the table is complete for these students' });
    return [];
  }
  emit({
    type: 'command-start',
    command: 'validate',
    detail: `${stages.join(', ')}: ${recipe.validate.arms.join(', ')}`,
  });
  const file = new GenerationsFile(join(folder.validation, 'generations.jsonl'));
  const outputs = new Map<StageName, GenerationLine[]>();
  const asked = new Map(stages.map((stage) => [stage, validationInputs(stage, recipe, collected)]));
  for (const [stage, stageInputs] of asked) {
    const lines: GenerationLine[] = [];
    for (const arm of recipe.validate.arms) {
      if (arm === 'teacher') lines.push(...teacherOutputs(stageInputs, collected));
      else lines.push(...(await studentOutputs(arm, stage, stageInputs, recipe, folder, file, context)));
    }
    outputs.set(stage, lines);
  }
  file.keep([...outputs.values()].flat());

  const judge = createJudge(recipe, folder, collected, context, join(folder.validation, 'local-judge.json'));
  const scores: ScoredItem[] = [];
  const tables: StageTable[] = [];
  const { margin, resamples } = recipe.validate;
  for (const [stage, lines] of outputs) {
    const scored =
      stage === 'pairs'
        ? lines.map(scorePairs)
        : await scoreTexts(lines, asked.get(stage)!, judge, recipe.seed, signal);
    scores.push(...scored);
    const options = { margin, resamples, seed: recipe.seed };
    tables.push(
      stage === 'pairs'
        ? stageTable(stage, scored, {
            ...options,
            judge: { kind: 'validity', description: 'Valid: JSON with five distinct pairs' },
            passes: ({ usable }) => usable === true,
            scored: false,
          })
        : stageTable(stage, scored, { ...options, judge: judge.describe() }),
    );
  }
  if (signal.aborted) throw new InterruptedError();
  const markdown = renderTables(tables, 'markdown');
  writeFileAtomic(join(folder.validation, 'scores.jsonl'), scores.map((item) => JSON.stringify(item) + '\n').join(''));
  writeFileAtomic(folder.table1, JSON.stringify(tables, null, 2) + '\n');
  writeFileAtomic(join(folder.validation, 'table1.md'), markdown);
  const seconds = (performance.now() - started) / 1000;
  writeManifest(folder.validation, { kind: 'validate', inputs, seconds });
  emit({ type: 'command-end', command: 'validate', seconds, summary: summary(tables) });
  return tables;
}

/** A pairs output has no 1-5 score: it is valid or it is not. */
function scorePairs(line: GenerationLine): ScoredItem {
  const parsed = pairsStage.parse(line.text);
  const { arm, model, stage, doc_id, item, complete } = line;
  const usable = parsed.ok && complete;
  const reason = parsed.ok ? (complete ? undefined : 'it did not stop by itself') : parsed.reason;
  return { arm, model, stage, doc_id, item, score: null, complete, usable, ...(reason ? { reason } : {}) };
}

/** Scores all arms' texts in one shuffled list: the judge sees neither arm nor model. */
async function scoreTexts(
  lines: readonly GenerationLine[],
  inputs: readonly ValidationInput[],
  judge: Judge,
  seed: number,
  signal: AbortSignal,
): Promise<ScoredItem[]> {
  const documents = new Map(inputs.map(({ item, document }) => [item, document]));
  const order = randomStream(seed, 'judge-order').shuffle(lines.map((_, i) => i));
  const items = order.map((i) => ({ id: `text-${i}`, document: documents.get(lines[i]!.item)!, text: lines[i]!.text }));
  const given = await judge.score(items, signal);
  const scoreOf = new Map(order.map((line, i) => [line, given[i] ?? null]));
  return lines.map(({ arm, model, stage, doc_id, item, text, complete }, i) => {
    const score = scoreOf.get(i)!;
    const copied = copiedShare(text, documents.get(item)!.text) > COPIED_LIMIT;
    const usable = score !== null && score >= PASSING_SCORE && !copied && complete;
    return { arm, model, stage, doc_id, item, score, copied, complete, usable };
  });
}

function summary(tables: readonly StageTable[]): string {
  const percent = (share: number | undefined) => (share === undefined ? '-' : `${(100 * share).toFixed(1)}%`);
  return tables
    .map(
      ({ stage, rows }) =>
        `${stage} usable: ${rows.map((row) => `${row.arm} ${percent(row.usable ?? row.rate)}`).join(', ')}`,
    )
    .join('; ');
}
