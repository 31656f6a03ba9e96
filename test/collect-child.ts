/** A process that collects, for tests that kill it: `collect-child.ts <recipe as JSON> <run folder> [<share of each wait>]`. */

import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../src/collect/collect.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { recipeSchema } from '../src/recipe/schema.ts';

const [recipe, root, waits = '1'] = process.argv.slice(2);
const context = { emit: () => {}, signal: new AbortController().signal };
await collect(recipeSchema.parse(JSON.parse(recipe!)), runFolder(root!), context, {
  wait: async (ms, signal) => void (await sleep(ms * Number(waits), undefined, { signal })),
});
