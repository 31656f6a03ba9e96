/**
 * The toolkit as a library: each command of `mga` is a function of a recipe, a run folder and a context.
 *
 * @example
 * const recipe = loadRecipe('recipes/debug.yaml');
 * const signal = new AbortController().signal;
 * await runPipeline(recipe, runFolder('checkpoints/debug'), { emit: console.log, signal });
 */

export { collect } from './collect/collect.ts';
export { type Collected, readCollected } from './collect/collected.ts';
export { type ExportFormat, exportSft } from './curate/formats/export-sft.ts';
export { importSft } from './curate/formats/import-sft.ts';
export { readSft } from './curate/sft-arrow.ts';
export { readSftJsonl, writeSftJsonl } from './curate/sft-jsonl.ts';
export type { SftRow } from './curate/sft-row.ts';
export { exportStudents } from './export/export.ts';
export { InterruptedError, UserError } from './foundation/errors.ts';
export type { CommandName, Emit, RunEvent } from './foundation/events.ts';
export type { RunContext } from './foundation/run-context.ts';
export { type RunFolder, runFolder } from './foundation/run-folder.ts';
export { loadModel } from './model/load.ts';
export { type ResolvedModel, resolveModel } from './model/resolve.ts';
export { loadTokenizer, type Tokenizer } from './model/tokenizer.ts';
export { curateSamples as curate } from './pipeline/curate-samples.ts';
export { type PipelineCommand, runPipeline } from './pipeline/run.ts';
export { quantizeStudents } from './quantize/quantize.ts';
export { loadRecipe, parseRecipe } from './recipe/load.ts';
export type { Recipe, RecipeInput, TrainSettings } from './recipe/schema.ts';
export { recipeSchema } from './recipe/schema.ts';
export { writeReport } from './report/report.ts';
export { type ReviewOptions, review } from './review/review.ts';
export { type JudgeInput, judgeStage } from './stage/judge.ts';
export { type PairsInput, pairsStage } from './stage/pairs.ts';
export { type ReformulateInput, reformulateStage } from './stage/reformulate.ts';
export type { ChatMessage, GenreAudience, Parsed, SourceDocument, Stage, StageName } from './stage/stage.ts';
export { type Explanation, explain } from './store/explain.ts';
export { type FileTraining, trainOnFiles } from './train/train-on-files.ts';
export { trainStudents } from './train/train-students.ts';
export { type FromScoresOptions, tablesFromScores } from './validate/from-scores.ts';
export { renderTables } from './validate/render.ts';
export type { StageTable, TableRow } from './validate/table.ts';
