/** Commands that run one stage of the pipeline. */

import type { CommandName } from '../foundation/events.ts';
import { type Command, defineCommand } from './command.ts';
import { COMMAND_TABLE } from './command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from './open-run.ts';
import { DISPLAY_OPTIONS, withDisplay } from './with-display.ts';

/** `mga <stage> RECIPE`. Stages before it must have run; what is complete is skipped, what is not is resumed. */
export function stageCommand(name: CommandName, details?: string): Command {
  return defineCommand({
    name,
    summary: COMMAND_TABLE[name]!.summary,
    ...(details === undefined ? {} : { details }),
    arguments: [RUN_ARGUMENT],
    options: { ...RUN_OPTIONS, ...DISPLAY_OPTIONS },
    async run({ args, options }, io) {
      const { recipe, folder } = openRun(args[0]!, options);
      const { runCommands } = await import('../pipeline/run.ts');
      await withDisplay([name], options, io, (context) => runCommands([name], recipe, folder, context));
    },
  });
}
