import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InterruptedError } from '../foundation/errors.ts';
import type { CommandName, RunEvent } from '../foundation/events.ts';
import { runFolder } from '../foundation/run-folder.ts';
import { parseRecipe } from '../recipe/load.ts';
import { readResolvedRecipe } from '../recipe/resolved.ts';
import { lockRun } from './lock.ts';
import { COMMANDS } from './progress.ts';
import { type PipelineCommand, runCommands } from './run.ts';
import { readStatus } from './status-file.ts';

const recipe = parseRecipe(
  'name: r\ncorpus: {path: x}\nteacher: {kind: recorded, folder: y}\nstudents: [{name: w, stages: [pairs]}]\n',
  'r.yaml',
);

/** Commands that only note that they ran; `overrides` replace some. */
function fakes(ran: string[], overrides: Partial<Record<CommandName, PipelineCommand>> = {}) {
  const entries = COMMANDS.map((command) => {
    const run: PipelineCommand = async (_recipe, _folder, { emit }) => {
      ran.push(command);
      emit({ type: 'command-start', command, detail: '' });
      await overrides[command]?.(_recipe, _folder, { emit, signal: new AbortController().signal });
      emit({ type: 'command-end', command, seconds: 0, summary: `${command} done` });
    };
    return [command, async () => run];
  });
  return Object.fromEntries(entries) as Record<CommandName, () => Promise<PipelineCommand>>;
}

function setup() {
  const folder = runFolder(join(mkdtempSync(join(tmpdir(), 'pipeline-')), 'run'));
  const events: RunEvent[] = [];
  const abort = new AbortController();
  return { folder, events, abort, context: { emit: (event: RunEvent) => events.push(event), signal: abort.signal } };
}

test('runCommands() runs in the order of the data and leaves recipe and status behind', async () => {
  const { folder, events, context } = setup();
  const ran: string[] = [];
  await runCommands(COMMANDS, recipe, folder, context, fakes(ran));
  expect(ran).toEqual(COMMANDS);
  expect(events.filter(({ type }) => type === 'command-end')).toHaveLength(7);
  expect(readResolvedRecipe(folder)).toEqual(recipe);
  expect(readStatus(folder)).toMatchObject({ state: 'done', pid: process.pid });
  expect(existsSync(join(folder.root, 'lock.json'))).toBe(false);
});

test('runCommands() stops before the next command when interrupted', async () => {
  const { folder, abort, context } = setup();
  const ran: string[] = [];
  const loaders = fakes(ran, { curate: async () => abort.abort() });
  await expect(runCommands(COMMANDS, recipe, folder, context, loaders)).rejects.toThrow(InterruptedError);
  expect(ran).toEqual(['collect', 'curate']);
  expect(readStatus(folder)?.state).toBe('interrupted');
});

test('runCommands() says in status.json which command failed, and gives the lock back', async () => {
  const { folder, context } = setup();
  const fail = async () => {
    throw new Error('disk full');
  };
  await expect(runCommands(COMMANDS, recipe, folder, context, fakes([], { train: fail }))).rejects.toThrow('disk full');
  const status = readStatus(folder);
  expect(status).toMatchObject({ state: 'failed', message: 'disk full' });
  expect(status?.commands.find(({ command }) => command === 'train')).toMatchObject({ state: 'failed' });
  await runCommands(['collect'], recipe, folder, context, fakes([]));
});

test('runCommands() refuses a folder another process works in', async () => {
  const { folder, context } = setup();
  const unlock = lockRun(folder);
  await expect(runCommands(COMMANDS, recipe, folder, context, fakes([]))).rejects.toThrow('holds it since');
  unlock();
});
