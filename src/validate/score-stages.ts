/** From the answers of all arms to scores, tables and what speaks for and against them. */

import type { Collected } from '../collect/collected.ts';
import { judgingReport } from '../collect/judging-report.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Embedder } from '../model/embedder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { BUILT_IN_STAGES } from '../recipe/stage-definition.ts';
import { pairsStage } from '../stage/pairs.ts';
import { tableStages } from '../stage/recipe-stages.ts';
import type { AnyStage } from '../stage/stage.ts';
import { canaryScores } from './canaries.ts';
import { chooseJudge } from './choose-judge.ts';
import { contamination } from './contamination.ts';
import { type FurtherScores, readFurtherScores } from './further-scores.ts';
import type { GenerationLine } from './generations.ts';
import { judgeModels } from './judge-models.ts';
import { withPairsSpread } from './pairs-spread.ts';
import { peoplesLabels } from './peoples-labels.ts';
import { reliabilityOf } from './reliability.ts';
import { scoreOutputs, scorePairs } from './score-outputs.ts';
import { ownTable } from './score-own.ts';
import { ownJudgedTable } from './score-own-judged.ts';
import type { ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable } from './table.ts';
import { isOwnArm } from './table-arms.ts';

const VALIDITY = {
  kind: 'validity' as const,
  description: 'No judge: a response is valid when it is JSON with five distinct pairs.',
};

/**
 * Scores the outputs of each stage that has any, all arms together, and makes its table.
 *
 * @param outputsOf the answers of all arms to a stage
 * @param embedder measures the spread of pairs; without one it is not measured
 * @throws InterruptedError when `context.signal` is aborted
 */
export async function scoreStages(
  outputsOf: (stage: AnyStage) => readonly GenerationLine[],
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
  embedder: Embedder | undefined,
): Promise<{ tables: StageTable[]; items: ScoredItem[] }> {
  const { seed } = recipe;
  const { margin, resamples } = recipe.validate;
  const tables: StageTable[] = [];
  const items: ScoredItem[] = [];
  for (const stage of tableStages(recipe)) {
    const outputs = outputsOf(stage);
    if (outputs.length === 0) continue;
    if (stage.name === pairsStage.name) {
      const checked = scorePairs(outputs, collected.pairs);
      const scored = embedder ? await withPairsSpread(checked, outputs, embedder, context) : checked;
      const passes = (item: ScoredItem) => item.usable === true;
      const options = { judge: VALIDITY, margin, resamples, seed, passes, scored: false };
      tables.push(withCandidates(stageTable(stage.name, scored, options), recipe));
      items.push(...scored);
      continue;
    }
    if (!BUILT_IN_STAGES.includes(stage.name)) {
      const answers = collected.answers.get(stage.name) ?? [];
      const values = new Map([...answers].map(([docId, { value }]) => [docId, value]));
      const own =
        (await ownJudgedTable(stage, outputs, recipe, folder, collected, context)) ??
        ownTable(stage, outputs, values, { margin, resamples, seed });
      tables.push(withCandidates(own.table, recipe));
      items.push(...own.items);
      continue;
    }
    const judge = await chooseJudge(recipe, folder, collected, context);
    const scored = await scoreOutputs(outputs, collected.documents, judge, {
      seed,
      signal: context.signal,
      onProgress: (done, total) =>
        context.emit({ type: 'command-progress', command: 'validate', label: 'judge', done, total, unit: 'texts' }),
    });
    const options = { judge: judge.describe(), margin, resamples, seed };
    const table = stageTable(stage.name, scored, options);
    const reliability = reliabilityOf({
      table,
      items: scored,
      options,
      second: (await furtherScores(recipe.validate.secondScores)) ?? secondScores(scored),
      ...(await peoplesLabels(stage.name, outputs, collected, recipe.validate.humanScores)),
      repeats: repeatedItems(scored) ?? repeatedScores(collected),
      filterJudge: judgingReport(collected),
      ...(['teacher', 'cascade'].includes(judge.kind) ? { models: judgeModels(recipe) } : {}),
      keptFrom: recipe.curate.minScore,
      contamination: contaminationOf(collected),
      canaries: await canaryScores(outputs, collected.documents, judge, { seed, signal: context.signal }),
    });
    tables.push(withCandidates({ ...table, reliability }, recipe));
    items.push(...scored);
  }
  return { tables, items };
}

function withCandidates(table: StageTable, recipe: Recipe): StageTable {
  return { ...table, rows: table.rows.map((row) => (isOwnArm(recipe, row.arm) ? row : { ...row, candidate: false })) };
}

function contaminationOf({ documents, splits }: Collected) {
  const of = (ids: readonly string[]) => ids.flatMap((id) => documents.get(id) ?? []);
  return contamination(of(splits.train), of(splits.validation));
}

const furtherScores = async (path: string | undefined) =>
  path === undefined ? undefined : await readFurtherScores(path);

/** What a second judge gave the outputs themselves. */
function secondScores(items: readonly ScoredItem[]): FurtherScores | undefined {
  return items.some(({ second }) => second !== undefined) ? ({ second }) => second : undefined;
}

/** Outputs the judge of this table was asked about several times; no prior selection rests on them. */
function repeatedItems(items: readonly ScoredItem[]) {
  const repeated = items.flatMap(({ doc_id, scores }) => (scores ? [{ docId: doc_id, scores }] : []));
  return repeated.length > 0 ? repeated : undefined;
}

function repeatedScores({ texts, judgeTexts, judgements }: Collected) {
  const docIds = new Map([
    ...[...texts].map(([id, { docId }]) => [id, docId] as const),
    ...judgeTexts.map(({ id, docId }) => [id, docId] as const),
  ]);
  return [...judgements].map(([id, given]) => ({
    docId: docIds.get(id) ?? id,
    scores: given.map(({ score }) => score),
  }));
}
