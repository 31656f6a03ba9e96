/** `mga review`: a page on which people rate outputs blind. */

import { userInfo } from 'node:os';
import { UserError } from '../../foundation/errors.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';

/** Two to three hours of reading for one person; the intervals of the corrected rates are then some ten points to each side. */
const SAMPLE = 100;
const FRAMES = ['outputs', 'collected'] as const;
const MOST_PORT = 65_535;

export const command = defineCommand({
  name: 'review',
  summary: COMMAND_TABLE.review!.summary,
  details: `Serves a page on this machine alone, at an address with a secret token, until Ctrl-C. It shows a document and texts made of it, not who made
them; keys 1 to 5 rate. Each rating goes into the ledger at once, and the same command goes on where it ended. \`mga validate\` then
says what people think of the judge: its sensitivity and specificity for each arm, and corrected rates (docs/review.md).`,
  arguments: [RUN_ARGUMENT],
  options: {
    ...RUN_OPTIONS,
    of: {
      type: 'string',
      value: 'TEXTS',
      description:
        'outputs: of all arms of the table; collected: what the teacher wrote, before validation. Default outputs',
    },
    stage: {
      type: 'string',
      value: 'NAME',
      description: 'Whose texts: reformulate, or a stage of the recipe with a rubric. Default: the first of them',
    },
    sample: {
      type: 'string',
      value: 'N',
      description: `Texts to rate; default ${SAMPLE}. A larger number adds to a smaller`,
    },
    rater: { type: 'string', value: 'NAME', description: 'Whose ratings these are; default: the name of the account' },
    port: { type: 'string', value: 'PORT', description: 'Default: any that is free' },
    json: { type: 'boolean', description: 'The address and the outcome as JSON lines' },
  },
  async run({ args, options }, io) {
    const { recipe, folder } = openRun(args[0]!, options);
    const { raterName, review } = await import('../../review/review.ts');
    const frame = FRAMES.find((known) => known === (options.of ?? FRAMES[0]));
    if (frame === undefined) {
      throw new UserError(
        `Cannot review ${options.of}: it is neither outputs nor collected`,
        'Leave --of out for outputs',
      );
    }
    const settings = {
      frame,
      stage: options.stage,
      size: whole('sample', options.sample, SAMPLE, 1, Number.MAX_SAFE_INTEGER),
      rater: raterName(options.rater ?? accountName()),
      port: whole('port', options.port, 0, 0, MOST_PORT),
    };
    const { rated, skipped, outputs } = await review(
      recipe,
      folder,
      {
        ...settings,
        onOpen: (opened) =>
          io.stdout.write(
            options.json
              ? `${JSON.stringify(opened)}\n`
              : `${opened.url}\n${opened.outputs} texts to rate, ${opened.rated} of them answered so far. Ctrl-C ends.\n`,
          ),
      },
      io.signal,
    );
    io.stdout.write(
      options.json
        ? `${JSON.stringify({ outputs, rated, skipped })}\n`
        : `${rated} of ${outputs} texts rated, ${skipped} skipped; all are kept. mga validate ${args[0]} counts them.\n`,
    );
  },
});

function whole(option: string, text: string | undefined, otherwise: number, least: number, most: number): number {
  const value = Number(text ?? otherwise);
  if (Number.isInteger(value) && value >= least && value <= most && text?.trim() !== '') return value;
  throw new UserError(
    `Cannot use --${option} ${text}: not a whole number from ${least} on`,
    `For example --${option} ${Math.max(otherwise, least)}`,
  );
}

/** Accounts of containers may have no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'reviewer';
  }
}
