/** `mga learning-curve`: how the rates grow with the number of training samples. */

import { UserError } from '../../foundation/errors.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';
import { DISPLAY_OPTIONS, isJson, withDisplay } from '../with-display.ts';

const DEFAULT_SAMPLES = '50,100,200';

export const command = defineCommand({
  name: 'learning-curve',
  summary: COMMAND_TABLE['learning-curve']!.summary,
  details: `After curate: trains each student on so many samples a stage, smaller sets parts of larger ones, and scores all of them on the
run's validation inputs with one judge (docs/analysis.md). Everything lies in learning-curve/ of the run and shows in its
report; stopped, the same command goes on.`,
  arguments: [RUN_ARGUMENT],
  options: {
    ...RUN_OPTIONS,
    samples: { type: 'string', value: 'N,N,...', description: `Samples a stage; default ${DEFAULT_SAMPLES}` },
    ...DISPLAY_OPTIONS,
  },
  async run({ args, options }, io) {
    const sizes = sampleNumbers(options.samples ?? DEFAULT_SAMPLES);
    const { recipe, folder } = openRun(args[0]!, options);
    const { lockRun } = await import('../../pipeline/lock.ts');
    const { learningCurve, renderLearningCurve } = await import('../../validate/learning-curve.ts');
    const unlock = lockRun(folder);
    try {
      const curve = await withDisplay(['train', 'validate'], options, io, (context) =>
        learningCurve(recipe, folder, sizes, context),
      );
      const text = renderLearningCurve(curve);
      if (isJson(options, io)) io.stdout.write(`${JSON.stringify({ type: 'learning-curve', ...curve })}\n`);
      (isJson(options, io) ? io.stderr : io.stdout).write(`\n${text}`);
    } finally {
      unlock();
    }
  },
});

function sampleNumbers(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1)) {
    throw new UserError(
      `Cannot use --samples ${text}: not whole numbers from 1 on`,
      `For example --samples ${DEFAULT_SAMPLES}`,
    );
  }
  return numbers;
}
