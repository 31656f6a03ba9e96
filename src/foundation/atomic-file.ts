/** Files that are either whole or absent: written beside the target, synced, then renamed over it. */

import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes `chunks` to `path` atomically; folders are made. A crash leaves the old file or the new one, never a part.
 * A chunk given as a function is made when its turn comes, so that a large file never lies in memory whole.
 */
export function writeFileAtomic(path: string, ...chunks: (string | Uint8Array | (() => Uint8Array))[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const chunk of chunks) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : typeof chunk === 'function' ? chunk() : chunk;
        for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Makes a rename durable. Some systems refuse to sync folders; the rename is then as durable as they make it. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    fsyncSync(handle);
    closeSync(handle);
  } catch {}
}
