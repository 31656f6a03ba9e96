/** `mga train`: the students of a recipe, or one student on samples of one's own. */

import { basename, extname, join } from 'node:path';
import { UserError } from '../../foundation/errors.ts';
import { runFolder } from '../../foundation/run-folder.ts';
import { parseRecipe } from '../../recipe/load.ts';
import type { TrainSettings } from '../../recipe/schema.ts';
import type { StudentJob } from '../../train/train.ts';
import { type CommandIo, defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';
import { DISPLAY_OPTIONS, isJson, withDisplay } from '../with-display.ts';

export const command = defineCommand({
  name: 'train',
  summary: COMMAND_TABLE.train!.summary,
  details: `With a recipe: every student, from the samples that curate kept.
With --sft: one student, from rows {"prompt": [messages], "completion": [messages]}; --set train.KEY=VALUE sets what a
recipe's train section would. A training that was stopped goes on where its last checkpoint is.`,
  arguments: [{ ...RUN_ARGUMENT, optional: true }],
  options: {
    ...RUN_OPTIONS,
    sft: { type: 'string', value: 'FILE', description: 'Samples as JSON Lines, instead of a recipe' },
    val: { type: 'string', value: 'FILE', description: 'With --sft: the same for the dev loss' },
    profile: {
      type: 'boolean',
      description: 'Make two steps (or train.maxSteps) of the first student, print time by op, keep nothing',
    },
    model: { type: 'string', value: 'MODEL', description: 'With --sft: alias, hub id, folder or GGUF file' },
    ...DISPLAY_OPTIONS,
  },
  async run({ args, options }, io) {
    const [target] = args;
    if (options.sft !== undefined) {
      if (target !== undefined) throw new UserError('Cannot use a recipe together with --sft', 'Give one of them');
      await trainOnOwnSamples({ ...options, sft: options.sft }, io);
      return;
    }
    if (target === undefined) throw new UserError('Cannot train: found no recipe', 'Give a recipe, or --sft FILE');
    const { recipe, folder } = openRun(target, options);
    if (options.profile) {
      const { studentJob } = await import('../../train/train.ts');
      await printProfile(studentJob(recipe, folder, recipe.students[0]!), options, io);
      return;
    }
    const { runCommands } = await import('../../pipeline/run.ts');
    await withDisplay(['train'], options, io, (context) => runCommands(['train'], recipe, folder, context));
  },
});

interface OwnSamples {
  sft: string;
  val?: string;
  model?: string;
  set?: string[];
  out?: string;
  json?: boolean;
  profile?: boolean;
}

async function printProfile(job: StudentJob, display: { json?: boolean }, io: CommandIo): Promise<void> {
  const { profileTraining, renderProfile } = await import('../../train/profile.ts');
  const profile = await withDisplay(['train'], display, io, (context) => profileTraining(job, context));
  io.stdout.write(
    isJson(display, io) ? `${JSON.stringify({ type: 'profile', ...profile })}\n` : renderProfile(profile),
  );
}

async function trainOnOwnSamples(
  { sft, val, model, set = [], out, profile, ...display }: OwnSamples,
  io: CommandIo,
): Promise<void> {
  const settings = trainSettings(model === undefined ? set : [...set, `train.model=${JSON.stringify(model)}`]);
  const folder = out ?? join('checkpoints', basename(sft, extname(sft)));
  const training = { sft, ...(val === undefined ? {} : { val }), out: folder, settings };
  if (profile) {
    const { fileJob } = await import('../../train/train-on-files.ts');
    await printProfile(fileJob(training), display, io);
    return;
  }
  const { lockRun } = await import('../../pipeline/lock.ts');
  const { trainOnFiles } = await import('../../train/train-on-files.ts');
  const unlock = lockRun(runFolder(folder));
  try {
    await withDisplay(['train'], display, io, (context) => trainOnFiles(training, context));
  } finally {
    unlock();
  }
  io.stderr.write(`The student is in ${folder}\n`);
}

/** The `train` section that these overrides give, checked as in a recipe. */
function trainSettings(overrides: readonly string[]): TrainSettings {
  const foreign = overrides.find((override) => !override.startsWith('train.'));
  if (foreign !== undefined) {
    throw new UserError(
      `Cannot use --set ${foreign} with --sft`,
      'There is no recipe: only train.KEY=VALUE means something',
    );
  }
  const rest = 'name: own\ncorpus: {path: none}\nteacher: {kind: recorded, folder: none}\n';
  return parseRecipe(`${rest}students: [{name: student, stages: [pairs]}]\n`, '--sft', overrides).train;
}
