/** One writer a ledger: a lock file that says which process holds it. The lock of a process that died is taken over. */

import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { UserError } from '../foundation/errors.ts';

export interface LockHolder {
  pid: number;
  host: string;
  /** ISO 8601. */
  since: string;
  /** When the system says the process started, where it says so: tells a process from a later one with the same number. */
  started?: string;
}

/** Paths this process holds. */
const held = new Set<string>();

/**
 * Takes the lock at `path` and returns what releases it.
 *
 * @throws UserError naming the holder, where a living process (or another machine) has it
 */
export function takeLock(path: string): () => void {
  mkdirSync(dirname(path), { recursive: true });
  const started = processStart(process.pid);
  const me: LockHolder = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    ...(started === undefined ? {} : { started }),
  };
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(me) + '\n');
  try {
    while (!linkExclusively(mine, path)) {
      const holder = readHolder(path);
      if (holder !== undefined && isAlive(holder, path)) {
        throw new UserError(
          `Cannot write to ${dirname(path)}: process ${holder.pid} on ${holder.host} holds it since ${holder.since}`,
          `Wait for that process or stop it; if it is long gone, delete ${path}`,
        );
      }
      removeStale(path, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

/** The living process that holds the lock at `path`, or another machine's; undefined where nobody does. */
export function lockHolder(path: string): LockHolder | undefined {
  const holder = readHolder(path);
  return holder !== undefined && isAlive(holder, path) ? holder : undefined;
}

/** A link appears whole or not at all, and fails where the target exists. */
function linkExclusively(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockHolder;
  } catch {
    return undefined;
  }
}

function isAlive(holder: LockHolder, path: string): boolean {
  if (holder.host !== hostname()) return true;
  if (holder.pid === process.pid) return held.has(path);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.started === undefined || processStart(holder.pid) === holder.started;
}

/** Moves a stale lock away. If another process has replaced it meanwhile, that one is put back. */
function removeStale(path: string, stale: LockHolder | undefined): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && (moved.pid !== stale?.pid || moved.since !== stale.since)) linkExclusively(aside, path);
  rmSync(aside, { force: true });
}

/** Clock ticks since boot at which a process started (Linux, proc(5) stat field 22). */
function processStart(pid: number): string | undefined {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return undefined;
  try {
    const stat = readFileSync(path, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
