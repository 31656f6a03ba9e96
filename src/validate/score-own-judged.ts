/** Answers to a text stage of the recipe's own, scored from 1 to 5 by its rubric. */

import type { Collected } from '../collect/collected.ts';
import { validationJudging } from '../collect/judges.ts';
import { judgingReport } from '../collect/judging-report.ts';
import { isLooping } from '../curate/measures/is-looping.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { teacherJudge } from '../judge/teacher-judge.ts';
import type { Recipe } from '../recipe/schema.ts';
import { ownJudgeStage } from '../stage/own-judge.ts';
import type { AnyStage } from '../stage/stage.ts';
import type { GenerationLine } from './generations.ts';
import { judgeModels } from './judge-models.ts';
import { peoplesLabels } from './peoples-labels.ts';
import { reliabilityOf } from './reliability.ts';
import { type JudgedTask, scoreOutputs } from './score-outputs.ts';
import type { ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable } from './table.ts';

/**
 * The stage's table by the LLM of `validate.judge`, on the path of `collect`: what was judged there is not asked again.
 * Undefined where the stage has no rubric, or no LLM judges in validation.
 *
 * @throws UserError for a recorded judge; InterruptedError
 */
export async function ownJudgedTable(
  stage: AnyStage,
  outputs: readonly GenerationLine[],
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
): Promise<{ table: StageTable; items: ScoredItem[] } | undefined> {
  const rubric = ownJudgeStage(stage.name, recipe.stages[stage.name]!);
  if (rubric === undefined || recipe.validate.judge.kind !== 'teacher') return undefined;
  const { seed } = recipe;
  const judge = teacherJudge(recipe, folder, context.emit, rubric);
  const progress = { type: 'command-progress', command: 'validate', label: rubric.name, unit: 'texts' } as const;
  const items = await scoreOutputs(
    outputs,
    collected.documents,
    judge,
    { seed, signal: context.signal, onProgress: (done, total) => context.emit({ ...progress, done, total }) },
    taskOf(stage),
  );
  const { margin, resamples } = recipe.validate;
  const options = { judge: judge.describe(), margin, resamples, seed };
  const table = stageTable(stage.name, items, options);
  const judgedAnswers = collected.judgedAnswers.get(stage.name);
  const reliability = reliabilityOf({
    table,
    items,
    options,
    second: validationJudging(recipe).second && (({ second }: Pick<ScoredItem, 'second'>) => second),
    repeats: items.flatMap(({ doc_id, scores }) => (scores ? [{ docId: doc_id, scores }] : [])),
    ...(await peoplesLabels(stage.name, outputs, collected, recipe.validate.humanScores)),
    models: judgeModels(recipe, stage.name),
    ...(judgedAnswers ? { filterJudge: judgingReport({ ...judgedAnswers, canaries: [] }) } : {}),
  });
  return { table: { ...table, reliability }, items };
}

/** The judge sees an answer as students are to write it. Whether copying is wrong is for the rubric to say. */
function taskOf(stage: AnyStage): JudgedTask {
  return {
    read(response) {
      const parsed = stage.parse(response);
      return parsed.ok ? { ok: true, value: stage.completion(parsed.value) } : parsed;
    },
    measure: (text) => ({
      valid: Number(stage.parse(text).ok),
      ...(stage.prose ? { looping: Number(isLooping(text)) } : {}),
    }),
    copyingSpoils: false,
  };
}
