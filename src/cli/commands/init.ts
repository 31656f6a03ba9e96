/** `mga init`. */

import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../../foundation/atomic-file.ts';
import { UserError } from '../../foundation/errors.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { starterRecipe } from '../starter-recipe.ts';

/** Example documents: three folders above both src/cli/commands and dist/cli/commands. */
const EXAMPLES = fileURLToPath(new URL('../../../data/quickstart/documents.jsonl', import.meta.url));

/** Enough for a split with documents in each part, few enough to label for pennies. */
const EXAMPLE_COUNT = 20;

export const command = defineCommand({
  name: 'init',
  summary: COMMAND_TABLE.init!.summary,
  details: `Writes recipe.yaml and data/documents.jsonl with ${EXAMPLE_COUNT} example documents. Overwrites nothing.`,
  arguments: [{ name: 'DIR', description: 'Folder to write to; default: the current one', optional: true }],
  options: {},
  async run({ args }, io) {
    const folder = resolve(args[0] ?? '.');
    const examples = readFileSync(EXAMPLES, 'utf8').split('\n').slice(0, EXAMPLE_COUNT);
    const files = {
      [join(folder, 'recipe.yaml')]: starterRecipe(recipeName(folder)),
      [join(folder, 'data', 'documents.jsonl')]: `${examples.join('\n')}\n`,
    };
    const existing = Object.keys(files).find((path) => existsSync(path));
    if (existing) throw new UserError(`Cannot write ${existing}: it exists already`, 'Name a new folder: mga init DIR');
    for (const [path, content] of Object.entries(files)) writeFileAtomic(path, content);
    const place = relative('.', folder);
    const enter = place === '' ? '' : `cd ${place}, `;
    io.stdout.write(`Wrote recipe.yaml and data/documents.jsonl in ${folder}.
Next: ${enter}put your documents into data/documents.jsonl, then: mga doctor recipe.yaml\n`);
  },
});

/** The folder's name as a recipe may be named. */
function recipeName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name || 'my-distillation';
}
