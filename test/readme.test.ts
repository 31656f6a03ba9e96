/** The README's commands exist, and do at debug sizes what it says. */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMAND_TABLE } from '../src/cli/command-table.ts';
import { runMga } from './run-mga.ts';
import { ROOT } from './source-files.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Lines of the shell blocks, and commands in running text. */
const lines = [
  ...[...readme.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block]) => block!.trim().split('\n')),
  ...[...readme.matchAll(/`((?:npm|mga) [^`]+)`/g)].map(([, line]) => line!),
];
const mgaLines = lines.filter((line) => line.startsWith('mga '));

/** Every process loads the runtime, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 300_000;

test('every npm script of the README exists', () => {
  const named = lines
    .filter((line) => line.startsWith('npm '))
    .map((line) => /^npm (?:run )?(?:-s )?([\w:]+)(?: -- [\w ]+)?$/.exec(line)?.[1]);
  expect(named.length).toBeGreaterThan(3);
  const own = ['ci', 'link'];
  expect(named.filter((name) => name === undefined || !(own.includes(name) || name in scripts))).toEqual([]);
});

test('every mga command of the README exists, with its options', async () => {
  expect(mgaLines.length).toBeGreaterThan(6);
  for (const line of mgaLines) {
    const [, name = '', ...words] = line.split(' ');
    expect(Object.keys(COMMAND_TABLE)).toContain(name);
    const { command } = await COMMAND_TABLE[name]!.load();
    const options = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    expect(options.filter((option) => !(option in command.options))).toEqual([]);
  }
});

test('every file of the README exists', () => {
  const files = [...readme.matchAll(/\b(?:docs|recipes|test)\/[\w/.-]*\w/g)].map(([path]) => path);
  expect(files.length).toBeGreaterThan(5);
  for (const path of files) expect(() => readFileSync(join(ROOT, path)), path).not.toThrow(/ENOENT/);
});

test(
  'the commands of "A real teacher" run in a new folder, with a recording in place of the server',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mga-readme-'));
    const labels = join(folder, 'my-labels');
    const debug = [
      'corpus.limit=6',
      'splits.dev=0.2',
      'splits.validation=0.2',
      'train.model=tiny-random',
      'train.maxSteps=1',
    ];
    const recorded = ['teacher={kind: recorded, folder: data/quickstart}', 'validate.judge.kind=local'];
    const sets = [...debug, ...recorded].flatMap((set) => ['--set', set]);
    const run = (...args: string[]) => runMga(args, { cwd: labels });

    expect((await runMga(['init', 'my-labels'], { cwd: folder })).code).toBe(0);
    expect((await run('doctor', 'recipe.yaml', ...sets)).code).toBe(0);
    expect((await run('plan', 'recipe.yaml', ...sets)).stdout).toMatch(/^pairs +6 /m);
    const collected = await run('collect', 'recipe.yaml', ...sets);
    expect(collected).toMatchObject({ code: 0, stderr: '' });
    expect((await run('status')).stdout).toContain('Run checkpoints/my-labels is done');
    const id = JSON.parse(readFileSync(join(labels, 'data/documents.jsonl'), 'utf8').split('\n')[0]!).id;
    expect((await run('explain', `${id}/1`)).stdout).toContain(`reformulate ${id}/1 to recording-`);
  },
  TIMEOUT_MS,
);

test(
  "the commands for one's own samples and scores run",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mga-readme-'));
    const row = (text: string) =>
      JSON.stringify({ prompt: [{ role: 'user', content: text }], completion: [{ role: 'assistant', content: text }] });
    writeFileSync(join(folder, 'train.jsonl'), [row('one'), row('two'), row('three')].join('\n'));
    writeFileSync(join(folder, 'val.jsonl'), row('four'));
    const scores = ['teacher', 'student'].map((arm) => JSON.stringify({ arm, doc_id: 'a', item: 'a/1', score: 4 }));
    writeFileSync(join(folder, 'scores.jsonl'), scores.join('\n'));

    for (const line of mgaLines.filter((one) => /--sft|--from/.test(one))) {
      const args = line.replace('smollm2-135m-instruct', 'tiny-random').split(' ').slice(1);
      expect(await runMga(args, { cwd: folder }), line).toMatchObject({ code: 0 });
    }
    expect(readFileSync(join(folder, 'checkpoints/own/manifest.json'), 'utf8')).toContain('tiny-random');
  },
  TIMEOUT_MS,
);
