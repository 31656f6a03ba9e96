import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFolder } from '../foundation/run-folder.ts';
import { lockHolder, lockRun } from './lock.ts';

const newFolder = () => runFolder(join(mkdtempSync(join(tmpdir(), 'lock-')), 'run'));
const lockFile = (root: string) => join(root, 'lock.json');

test('lockRun() is held once and given back', () => {
  const folder = newFolder();
  const unlock = lockRun(folder);
  expect(lockHolder(folder)?.pid).toBe(process.pid);
  expect(() => lockRun(folder)).toThrow(`process ${process.pid} on ${hostname()}`);
  unlock();
  expect(existsSync(lockFile(folder.root))).toBe(false);
  lockRun(folder)();
});

test('lockRun() takes over from a process that is gone', () => {
  const folder = newFolder();
  lockRun(folder)();
  const { pid } = spawnSync('true');
  const dead = { pid, host: hostname(), since: 'before' };
  writeFileSync(lockFile(folder.root), JSON.stringify(dead));
  expect(lockHolder(folder)).toBeUndefined();
  lockRun(folder)();
});

test.runIf(process.platform === 'linux')(
  'lockRun() does not mistake a later process with the same id for the holder',
  () => {
    const folder = newFolder();
    lockRun(folder)();
    const child = spawn('sleep', ['30']);
    try {
      writeFileSync(
        lockFile(folder.root),
        JSON.stringify({ pid: child.pid, host: hostname(), processStart: '1', since: 'before' }),
      );
      lockRun(folder)();
    } finally {
      child.kill();
    }
  },
);

test('lockRun() respects a holder on another machine, and replaces a torn file', () => {
  const folder = newFolder();
  lockRun(folder)();
  writeFileSync(lockFile(folder.root), JSON.stringify({ pid: 1, host: 'elsewhere', since: 'noon' }));
  expect(() => lockRun(folder)).toThrow('process 1 on elsewhere has worked in it since noon');
  writeFileSync(lockFile(folder.root), '{"pid": 1');
  lockRun(folder)();
});
