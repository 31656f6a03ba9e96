/** `mga doctor`. */

import { UserError } from '../../foundation/errors.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { type Check, machineChecks, recipeChecks } from '../machine-checks.ts';
import { openRun, RUN_OPTIONS } from '../open-run.ts';

const MARKS = { ok: '✓', warn: '!', fail: '✗' } as const;

export const command = defineCommand({
  name: 'doctor',
  summary: COMMAND_TABLE.doctor!.summary,
  details: `Without a recipe: processor, memory, disk, native libraries.
With one: also its files, keys and weights, which are fetched if they are not here yet.`,
  arguments: [{ name: 'RECIPE', description: 'A recipe', optional: true }],
  options: { set: RUN_OPTIONS.set, json: { type: 'boolean', description: 'One JSON array' } },
  async run({ args, options }, io) {
    const recipe = args[0] === undefined ? undefined : openRun(args[0], options).recipe;
    const checks = await machineChecks();
    if (recipe) {
      const { resolveModel } = await import('../../model/resolve.ts');
      const resolve = async (model: string) => {
        const emit = () => {};
        const { source, folder } = await resolveModel(model, { emit, signal: io.signal });
        return source === folder ? folder : `${source}, in ${folder}`;
      };
      checks.push(...(await recipeChecks(recipe, io.env, resolve)));
    }
    io.stdout.write(options.json ? `${JSON.stringify(checks, null, 2)}\n` : render(checks));
    const failed = checks.filter(({ state }) => state === 'fail');
    if (failed.length > 0) throw new UserError(`Not ready: ${failed.map(({ name }) => name).join(', ')}`);
  },
});

function render(checks: readonly Check[]): string {
  const lines = checks.flatMap(({ name, state, found, advice }) => [
    `${MARKS[state]} ${name}: ${found}`,
    ...(advice === undefined ? [] : [`    ${advice}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
