/** A process that collects, for tests that kill it: `collect-child.ts <recipe as JSON> <run folder>`. */

import { collect } from '../src/collect/collect.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { recipeSchema } from '../src/recipe/schema.ts';

const [recipe, root] = process.argv.slice(2);
await collect(recipeSchema.parse(JSON.parse(recipe!)), runFolder(root!), {
  emit: () => {},
  signal: new AbortController().signal,
});
