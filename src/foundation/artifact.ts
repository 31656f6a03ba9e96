/** An artifact is a folder whose manifest.json was written last: without it, the folder is rebuilt. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { UserError } from './errors.ts';
import { contentHash } from './hash.ts';

export interface Manifest {
  /** What made the artifact, for example `train writer`. */
  kind: string;
  /** Hash of everything the artifact was made from: recipe slice and input hashes. */
  inputHash: string;
  /** The recipe slice and the input hashes themselves, for people. */
  inputs: Record<string, unknown>;
  /** Versions of this package and of Node. */
  versions: Record<string, string>;
  createdAt: string;
  seconds?: number;
  /** Facts about the outcome (row counts, losses). */
  facts?: Record<string, unknown>;
}

/** The manifest of an artifact folder, or undefined where the artifact is not complete. */
export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, 'manifest.json');
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch (error) {
    throw new UserError(
      `Cannot read ${path}: ${(error as Error).message}`,
      'Delete the file to have the artifact rebuilt',
    );
  }
}

/** Whether the folder holds a complete artifact of exactly these inputs. */
export function isComplete(folder: string, inputs: Record<string, unknown>): boolean {
  return readManifest(folder)?.inputHash === contentHash(inputs);
}

/** Marks the folder complete. Call it after every other file of the artifact has been written. */
export function writeManifest(
  folder: string,
  manifest: Pick<Manifest, 'kind' | 'inputs'> & Partial<Pick<Manifest, 'seconds' | 'facts'>>,
): Manifest {
  const whole: Manifest = {
    ...manifest,
    inputHash: contentHash(manifest.inputs),
    versions: { node: process.version, 'mga-distill': packageVersion() },
    createdAt: new Date().toISOString(),
  };
  writeFileAtomic(join(folder, 'manifest.json'), JSON.stringify(whole, null, 2) + '\n');
  return whole;
}

/** The version in package.json, which lies two folders above both src/foundation and dist/foundation. */
export function packageVersion(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
