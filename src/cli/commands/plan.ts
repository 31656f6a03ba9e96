/** `mga plan`. */

import { UserError } from '../../foundation/errors.ts';
import type { RunEvent } from '../../foundation/events.ts';
import { type CommandIo, defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { type NamedRun, openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';

export const command = defineCommand({
  name: 'plan',
  summary: COMMAND_TABLE.plan!.summary,
  details: `Asks nothing and writes nothing, unless --probe or --measure is given; of a corpus on the hub it fetches
the files that collect will read, and says so. Prices are upper bounds until the ledger holds answers;
from then on also estimates with 95% intervals, documents being the unit.`,
  arguments: [RUN_ARGUMENT],
  options: {
    ...RUN_OPTIONS,
    probe: {
      type: 'string',
      value: 'N',
      description: 'First ask for N documents through the ledger of the run: paid once, and skipped by collect later',
    },
    preview: {
      type: 'string',
      value: 'N',
      description: 'Show the first N prompts of each stage in full; 0: none. Default: the first, shortened',
    },
    measure: {
      type: 'boolean',
      description:
        'Make two steps of training where no speed is known, and keep the speed in the run. Where the weights are not here, two layers of random ones stand for them',
    },
    json: { type: 'boolean', description: 'One JSON object' },
  },
  async run({ args, options }, io) {
    const run = openRun(args[0]!, options);
    const previews = wholeNumber('preview', options.preview, 0);
    const probed = wholeNumber('probe', options.probe, 1);
    if (probed !== undefined) await probeRun(run, probed, io);
    const { planRun } = await import('../run-plan.ts');
    const { renderPlan } = await import('../plan/render-plan.ts');
    const plan = await planRun(run.recipe, run.folder, {
      ...(previews === undefined ? {} : { previews }),
      ...(options.measure === undefined ? {} : { measure: options.measure }),
      context: { emit: (event) => void io.stderr.write(told(event)), signal: io.signal },
    });
    const text = () => renderPlan(plan, { whole: previews !== undefined });
    io.stdout.write(options.json ? `${JSON.stringify(plan, null, 2)}\n` : text());
  },
});

async function probeRun({ recipe, folder }: NamedRun, count: number, io: CommandIo): Promise<void> {
  const { probe } = await import('../../collect/probe.ts');
  const { lockRun } = await import('../../pipeline/lock.ts');
  const unlock = lockRun(folder);
  try {
    await probe(recipe, folder, count, { emit: (event) => void io.stderr.write(told(event)), signal: io.signal });
  } finally {
    unlock();
  }
}

/** Standard output is the plan's. */
function told(event: RunEvent): string {
  if (event.type === 'command-progress' && event.done === event.total) {
    return `probe: ${event.label} ${event.done}/${event.total} ${event.unit}\n`;
  }
  return event.type === 'log' ? `${event.message}\n` : '';
}

function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UserError(`Cannot use --${option} ${text}`, `It must be a whole number from ${least} on`);
}
