/** One process at a time works in a run folder. */

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import type { RunFolder } from '../foundation/run-folder.ts';

export interface LockHolder {
  pid: number;
  host: string;
  /** When the process started, in the kernel's clock ticks; tells a process from a later one that got the same id. */
  processStart: string | undefined;
  since: string;
}

/**
 * Takes the run folder for this process; the returned function gives it back.
 *
 * A lock whose process is gone (killed) is taken over.
 * @throws UserError naming the process that holds it
 */
export function lockRun(folder: RunFolder): () => void {
  mkdirSync(folder.root, { recursive: true });
  const path = lockPath(folder);
  const mine: LockHolder = {
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid),
    since: new Date().toISOString(),
  };
  const text = JSON.stringify(mine);
  if (!createWhole(path, text)) {
    const holder = lockHolder(folder);
    if (holder) throw heldError(folder, holder);
    removeDead(path);
    if (!createWhole(path, text)) throw heldError(folder, lockHolder(folder));
  }
  return () => {
    if (readHolder(path)?.since === mine.since) rmSync(path, { force: true });
  };
}

/** The living process that works in the folder, if there is one. */
export function lockHolder(folder: RunFolder): LockHolder | undefined {
  const holder = readHolder(lockPath(folder));
  if (!holder) return undefined;
  // Whether a process of another machine lives cannot be asked from here.
  if (holder.host !== hostname()) return holder;
  return isAlive(holder) ? holder : undefined;
}

function lockPath(folder: RunFolder): string {
  return join(folder.root, 'lock.json');
}

/** Creates the file with its whole content, or gives false where it exists: a link is made at once or not at all. */
function createWhole(path: string, text: string): boolean {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Removes a dead process's lock, but not the one a faster process has put in its place meanwhile. */
function removeDead(path: string): void {
  const aside = `${path}.dead-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  if (moved && moved.host === hostname() && isAlive(moved)) createWhole(path, JSON.stringify(moved));
  rmSync(aside, { force: true });
}

function readHolder(path: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, processStart: start }: LockHolder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return start === undefined || processStart(pid) === start;
}

/** Field 22 of /proc/<pid>/stat (proc(5)); undefined on systems without /proc. The name in field 2 may hold spaces. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function heldError(folder: RunFolder, holder: LockHolder | undefined): UserError {
  const who = holder
    ? `process ${holder.pid} on ${holder.host} has worked in it since ${holder.since}`
    : 'it is in use';
  return new UserError(
    `Cannot use ${folder.root}: ${who}`,
    `Wait for it, or look at it with: mga status ${folder.root}`,
  );
}
