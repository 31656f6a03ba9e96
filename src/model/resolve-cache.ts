/** Where models that were fetched or converted are kept, and how a folder gets there whole or not at all. */

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { isComplete, readManifest, writeManifest } from '../foundation/artifact.ts';
import { cacheFolder } from '../foundation/cache-folder.ts';

/** What a cached model was made from; part of its manifest. */
export interface ModelOrigin {
  /** For people: a path, hub id and revision, or package. */
  readonly source: string;
  /** Of the file the weights came from. */
  readonly sha256: string;
  /** Version of the code that converted them; 0 where nothing was converted. */
  readonly converter: number;
}

/** `$MGA_CACHE/models/<name>`. */
export function cachedModelFolder(name: string): string {
  return cacheFolder('models', name);
}

/** The origin of a complete cached model, or undefined. */
export function cachedOrigin(folder: string): ModelOrigin | undefined {
  const inputs = readManifest(folder)?.inputs;
  return inputs === undefined ? undefined : (inputs as unknown as ModelOrigin);
}

/**
 * Fills a cached model folder: `make` writes into a folder beside it, which gets its manifest last and is then renamed.
 * A folder that is already complete for this origin is kept.
 */
export async function fillModelFolder(
  folder: string,
  origin: ModelOrigin,
  make: (folder: string) => void | Promise<void>,
): Promise<void> {
  const inputs = { ...origin };
  if (isComplete(folder, inputs)) return;
  const temporary = `${folder}.tmp-${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    await make(temporary);
    writeManifest(temporary, { kind: 'model', inputs });
    mkdirSync(dirname(folder), { recursive: true });
    // Another process may have finished the same model meanwhile; theirs is as good.
    if (isComplete(folder, inputs)) return;
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
