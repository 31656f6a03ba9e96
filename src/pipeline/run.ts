/** The whole way of the data, or a part of it: commands in order, in one locked run folder. */

import type { Material } from '../collect/collected.ts';
import { errorMessage, InterruptedError } from '../foundation/errors.ts';
import type { CommandName, RunEvent } from '../foundation/events.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type RunFolder, roundFolder, settledFolder } from '../foundation/run-folder.ts';
import { writeResolvedRecipe } from '../recipe/resolved.ts';
import type { Recipe } from '../recipe/schema.ts';
import { lockRun } from './lock.ts';
import { COMMANDS } from './progress.ts';
import { statusWriter } from './status-file.ts';

/** What every command of the pipeline looks like. Each skips what is complete and resumes what is not. */
export type PipelineCommand = (recipe: Recipe, folder: RunFolder, context: RunContext) => Promise<unknown>;

/** Loads a command when its turn comes: the parts are heavy, and a run that skips one need not load it. Told of all commands of the run. */
type CommandLoader = (commands: readonly CommandName[]) => Promise<PipelineCommand>;

const LOADERS: Record<CommandName, CommandLoader> = {
  collect: async (commands) => {
    const { collect } = await import('../collect/collect.ts');
    if (!commands.includes('train')) return collect;
    return (recipe, folder, context) => {
      const beforePaying = async (material: Material) => {
        const { checkTrainingMemory } = await import('./check-training-memory.ts');
        await checkTrainingMemory(recipe, folder, material, context);
      };
      return collect(recipe, folder, context, { beforePaying });
    };
  },
  curate: async () => (await import('./curate-samples.ts')).curateSamples,
  train: async () => (await import('../train/train-students.ts')).trainStudents,
  quantize: async () => (await import('../quantize/quantize.ts')).quantizeStudents,
  export: async () => (await import('../export/export.ts')).exportStudents,
  validate: async () => {
    const { validateStudents } = await import('../validate/validate.ts');
    const { writeModelCards } = await import('../export/model-card.ts');
    return async (recipe, folder, context) => {
      await validateStudents(recipe, folder, context);
      // The cards were written before there was a table to put in them.
      writeModelCards(recipe, folder);
    };
  },
  report: async () => (await import('../report/report.ts')).writeReport,
};

/** Of several rounds, what each of them goes through. */
const ROUND_COMMANDS: readonly CommandName[] = ['collect', 'curate', 'train'];

/**
 * Runs collect, curate, train, quantize, export, validate and report in one run folder; the first three as often as there are rounds.
 *
 * @throws InterruptedError when `context.signal` was aborted; running again goes on where it stopped
 * @throws UserError when another process works in the folder
 */
export async function runPipeline(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<void> {
  await runCommands(COMMANDS, recipe, folder, context);
}

/** Runs some commands in order, holding the run folder's lock and keeping its status.json. */
export async function runCommands(
  commands: readonly CommandName[],
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  loaders: Record<CommandName, CommandLoader> = LOADERS,
): Promise<void> {
  const unlock = lockRun(folder);
  const status = statusWriter(folder, commands);
  const emit = (event: RunEvent) => {
    status.note(event);
    context.emit(event);
  };
  const told = { ...context, emit };
  try {
    writeResolvedRecipe(recipe, folder);
    const isWhole = recipe.rounds.count > 1 && ROUND_COMMANDS.every((command) => commands.includes(command));
    if (isWhole) await goThroughRounds(commands, recipe, folder, told, loaders);
    for (const command of commands) {
      if (isWhole && ROUND_COMMANDS.includes(command)) continue;
      if (context.signal.aborted) throw new InterruptedError();
      const run = await loaders[command](commands);
      await run(recipe, await folderFor(command, recipe, folder), told);
    }
    status.close('done');
  } catch (error) {
    status.close(error instanceof InterruptedError ? 'interrupted' : 'failed', errorMessage(error));
    throw error;
  } finally {
    unlock();
  }
}

async function goThroughRounds(
  all: readonly CommandName[],
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  loaders: Record<CommandName, CommandLoader>,
): Promise<void> {
  const { runRounds } = await import('../rounds/run-rounds.ts');
  const { collect, curate, train } = loaders;
  const commands = { collect: await collect(all), curate: await curate(all), train: await train(all) };
  await runRounds(recipe, folder, context, commands);
}

/** The folder as a command sees it: of several rounds, the one at work for those that rounds go through, else the one whose students were taken. */
async function folderFor(command: CommandName, recipe: Recipe, folder: RunFolder): Promise<RunFolder> {
  if (recipe.rounds.count === 1) return folder;
  const { latestRound, takenRound } = await import('../rounds/round-outcome.ts');
  return ROUND_COMMANDS.includes(command)
    ? roundFolder(folder, latestRound(folder))
    : settledFolder(folder, takenRound(folder));
}
