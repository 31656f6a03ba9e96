/** Where the files that a recipe names are looked for. */

import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Two folders above both src/recipe and dist/recipe. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A file of the current folder, or, where there is none, of this package (so that an installed package finds its own data). */
export function findFile(path: string): string {
  if (isAbsolute(path) || existsSync(path)) return path;
  const packaged = join(PACKAGE_ROOT, path);
  return existsSync(packaged) ? packaged : path;
}
