import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFolder } from '../foundation/run-folder.ts';
import { lockRun, runHolder } from './lock.ts';

const newFolder = () => runFolder(join(mkdtempSync(join(tmpdir(), 'lock-')), 'run'));

test('lockRun() is held once and given back', () => {
  const folder = newFolder();
  const unlock = lockRun(folder);
  expect(runHolder(folder)?.pid).toBe(process.pid);
  expect(() => lockRun(folder)).toThrow(`process ${process.pid} on ${hostname()}`);
  unlock();
  expect(runHolder(folder)).toBeUndefined();
  lockRun(folder)();
});

test('lockRun() takes over from a process that is gone', () => {
  const folder = newFolder();
  lockRun(folder)();
  const { pid } = spawnSync('true');
  writeFileSync(join(folder.root, 'lock.json'), JSON.stringify({ pid, host: hostname(), since: 'before' }));
  expect(runHolder(folder)).toBeUndefined();
  lockRun(folder)();
});

test('lockRun() respects a holder on another machine', () => {
  const folder = newFolder();
  lockRun(folder)();
  writeFileSync(join(folder.root, 'lock.json'), JSON.stringify({ pid: 1, host: 'elsewhere', since: 'noon' }));
  expect(() => lockRun(folder)).toThrow('process 1 on elsewhere holds it since noon');
});
