/** Where this package keeps what it fetched, for all runs of a user. */

import { homedir } from 'node:os';
import { join } from 'node:path';

/** A path in `$MGA_CACHE`; in ~/.cache/mga-distill where the variable is not set. */
export function cacheFolder(...parts: readonly string[]): string {
  return join(process.env.MGA_CACHE ?? join(homedir(), '.cache', 'mga-distill'), ...parts);
}
