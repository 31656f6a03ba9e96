/** `mga report`: one run as a page, or two side by side. */

import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';
import { DISPLAY_OPTIONS, withDisplay } from '../with-display.ts';

export const command = defineCommand({
  name: 'report',
  summary: COMMAND_TABLE.report!.summary,
  details: `One self-contained file: tables, curves, histograms, samples side by side.
With a second run: prints both side by side instead, arm by arm, paired by the inputs both answered, and writes the comparison as a page.`,
  arguments: [RUN_ARGUMENT, { name: 'RUN2', description: 'A second run, by folder or recipe', optional: true }],
  options: {
    ...RUN_OPTIONS,
    out: {
      ...RUN_OPTIONS.out,
      value: 'PATH',
      description: 'Run folder; with RUN2: the page, default compare-<RUN>.html in the folder of RUN2',
    },
    ...DISPLAY_OPTIONS,
  },
  async run({ args, options }, io) {
    const [target, other] = args as [string, string | undefined];
    if (other !== undefined) {
      const { writeComparison } = await import('../../pipeline/write-comparison.ts');
      const { renderComparison } = await import('../../validate/compare-runs.ts');
      const runs = [openRun(target, {}), openRun(other, {})] as const;
      const { comparison, path } = await writeComparison(...runs, options.out, io.signal);
      if (options.json) io.stdout.write(`${JSON.stringify({ ...comparison, page: path })}\n`);
      else io.stdout.write(`${renderComparison(comparison)}Page: ${path}\n`);
      return;
    }
    const { recipe, folder } = openRun(target, options);
    const { runCommands } = await import('../../pipeline/run.ts');
    await withDisplay(['report'], options, io, (context) => runCommands(['report'], recipe, folder, context));
  },
});
