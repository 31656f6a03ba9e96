/** `mga report`: one run as a page, or two side by side. */

import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { findRun, openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';
import { DISPLAY_OPTIONS, withDisplay } from '../with-display.ts';

/** As for tables from scores made elsewhere. */
const COMPARISON = { margin: 3, resamples: 2000, seed: 0 };

export const command = defineCommand({
  name: 'report',
  summary: COMMAND_TABLE.report!.summary,
  details: `One self-contained file: tables, curves, histograms, samples side by side.
With a second run: prints both side by side instead, arm by arm, paired by the inputs both answered.`,
  arguments: [RUN_ARGUMENT, { name: 'RUN2', description: 'A second run, by folder or recipe', optional: true }],
  options: { ...RUN_OPTIONS, ...DISPLAY_OPTIONS },
  async run({ args, options }, io) {
    const [target, other] = args as [string, string | undefined];
    if (other !== undefined) {
      const { compareRuns, renderComparison } = await import('../../validate/compare-runs.ts');
      const comparison = compareRuns(findRun(target), findRun(other), COMPARISON);
      io.stdout.write(options.json ? `${JSON.stringify(comparison)}\n` : renderComparison(comparison));
      return;
    }
    const { recipe, folder } = openRun(target, options);
    const { runCommands } = await import('../../pipeline/run.ts');
    await withDisplay(['report'], options, io, (context) => runCommands(['report'], recipe, folder, context));
  },
});
