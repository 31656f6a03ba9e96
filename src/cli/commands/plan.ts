/** `mga plan`. */

import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';

export const command = defineCommand({
  name: 'plan',
  summary: COMMAND_TABLE.plan!.summary,
  details: 'Asks nothing and writes nothing.',
  arguments: [RUN_ARGUMENT],
  options: { ...RUN_OPTIONS, json: { type: 'boolean', description: 'One JSON object' } },
  async run({ args, options }, io) {
    const { recipe, folder } = openRun(args[0]!, options);
    const { planRun, renderPlan } = await import('../run-plan.ts');
    const plan = await planRun(recipe, folder);
    io.stdout.write(options.json ? `${JSON.stringify(plan, null, 2)}\n` : renderPlan(plan));
  },
});
