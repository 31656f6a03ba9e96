/** `mga run`: the whole way of the data. */

import { COMMANDS } from '../../pipeline/progress.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';
import { printTables } from '../print-tables.ts';
import { DISPLAY_OPTIONS, withDisplay } from '../with-display.ts';

export const command = defineCommand({
  name: 'run',
  summary: COMMAND_TABLE.run!.summary,
  details: `Runs collect, curate, train, quantize, export, validate and report, skips what is complete, resumes what is not,
and prints the table. Of a recipe with several rounds, the first three are gone through round by round.
Stop it at any time (Ctrl-C, kill): the same command goes on.`,
  arguments: [RUN_ARGUMENT],
  options: { ...RUN_OPTIONS, ...DISPLAY_OPTIONS },
  async run({ args, options }, io) {
    const { recipe, folder } = openRun(args[0]!, options);
    const { runPipeline } = await import('../../pipeline/run.ts');
    await withDisplay(COMMANDS, options, io, (context) => runPipeline(recipe, folder, context));
    await printTables(folder, options, io);
  },
});
