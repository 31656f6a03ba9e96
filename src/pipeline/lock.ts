/** One process at a time works in a run folder. */

import { join } from 'node:path';
import type { RunFolder } from '../foundation/run-folder.ts';
import { type LockHolder, lockHolder, takeLock } from '../store/ledger-lock.ts';

/**
 * Takes the run folder for this process; the returned function gives it back. The lock of a killed process is taken over.
 *
 * @throws UserError naming the process that holds it
 */
export function lockRun(folder: RunFolder): () => void {
  return takeLock(lockPath(folder));
}

/** The living process that works in the folder, if there is one. */
export function runHolder(folder: RunFolder): LockHolder | undefined {
  return lockHolder(lockPath(folder));
}

function lockPath(folder: RunFolder): string {
  return join(folder.root, 'lock.json');
}
