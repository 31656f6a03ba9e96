/** `mga import` and `mga export-data`: a run's samples to other tools and back, and to a local fake of the hub. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXPORT_FORMATS } from '../src/curate/formats/export-sft.ts';
import { writeSft } from '../src/curate/sft-arrow.ts';
import { readSftJsonl } from '../src/curate/sft-jsonl.ts';
import type { SftRow } from '../src/curate/sft-row.ts';
import { runFolder } from '../src/foundation/run-folder.ts';
import { mga } from './mga-here.ts';

const row = (id: string, stage: string): SftRow => ({
  id,
  doc_id: id.split('/')[0]!,
  stage,
  prompt: [{ role: 'user', content: `Document:\n${id}` }],
  completion: [{ role: 'assistant', content: `An answer to ${id}` }],
  ...(stage === 'reformulate' ? { score: 5, genre: 'fable', audience: 'children' } : {}),
});
const SETS = {
  pairs: { train: [row('a', 'pairs')], dev: [row('b', 'pairs')] },
  reformulate: { train: [row('a/1', 'reformulate'), row('a/2', 'reformulate')], dev: [] },
};

let root: string;
let run: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mga-exchange-'));
  run = join(root, 'run');
  for (const [stage, { train, dev }] of Object.entries(SETS)) {
    writeSft(runFolder(run).sft(1, stage, 'train'), train);
    writeSft(runFolder(run).sft(1, stage, 'dev'), dev);
  }
  writeFileSync(runFolder(run).recipe, 'name: exchange\n');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each(EXPORT_FORMATS)('mga import reads what mga export-data wrote as %s', async (format) => {
  const out = join(root, format);
  const exported = await mga('export-data', run, '--format', format, '--out', out);
  expect(exported).toMatchObject({ code: 0, stderr: '' });
  const files = exported.stdout.trim().split('\n');
  const data = files.find((file) => file.includes('reformulate-train'))!;
  const rows = join(root, `${format}.rows.jsonl`);
  expect((await mga('import', data, '--out', rows)).stdout).toContain(`2 rows in ${rows}`);
  expect(readSftJsonl(rows)).toEqual(SETS.reformulate.train);
  // No file for a set without rows.
  expect(files.some((file) => file.includes('reformulate-dev'))).toBe(false);
});

test('the card of a data set lists its files by stage and split', async () => {
  const out = join(root, 'card');
  await mga('export-data', run, '--out', out, '--stage', 'pairs');
  const [, head] = readFileSync(join(out, 'README.md'), 'utf8').split('---\n');
  expect(parse(head!).configs).toEqual([
    {
      config_name: 'pairs',
      data_files: [
        { split: 'train', path: 'pairs-train.jsonl' },
        { split: 'validation', path: 'pairs-dev.jsonl' },
      ],
    },
  ]);
});

test('mga import and export-data name what they cannot use', async () => {
  const chat = join(root, 'chat.jsonl');
  writeFileSync(chat, '{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}\n');
  expect((await mga('import', chat, '--format', 'opanai')).stderr).toContain('Did you mean openai?');
  expect((await mga('import', chat, '--format', 'curator')).stderr).toContain(`${chat}:1: it is no curator record`);
  expect((await mga('import', chat, '--stage', 'mine')).code).toBe(0);
  expect(readSftJsonl(join(root, 'chat.sft.jsonl'))[0]).toMatchObject({ stage: 'mine', id: 'row-1' });
  expect((await mga('export-data', run, '--format', 'csv')).stderr).toContain('Formats: parquet, chat-jsonl');
  expect((await mga('export-data', run, '--stage', 'judge')).stderr).toContain('there are no rows');
  expect((await mga('export-data', join(root, 'none'))).stderr).toContain('no such file or folder');
  expect((await mga('export-data', run, '--out', join(root, 'p'), '--push', 'me/x')).stderr).toContain('HF_TOKEN');
});

test('mga export-data --push commits the data and its card to the hub', async () => {
  const asked: { path: string; body: string; authorization: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const path = request.url!;
    asked.push({ path, body, authorization: request.headers.authorization });
    const json = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (path === '/api/repos/create') json(409, { error: 'You already created this dataset repo' });
    else if (path.includes('/preupload/')) {
      const { files } = JSON.parse(body) as { files: { path: string }[] };
      json(200, { files: files.map((file) => ({ path: file.path, uploadMode: 'regular' })) });
    } else if (path.includes('/commit/')) json(200, { commitOid: 'c', commitUrl: 'u', hookOutput: '' });
    else json(404, { error: `unknown ${path}` });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hub = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const argv = ['export-data', run, '--out', join(root, 'push'), '--push', 'me/samples'];
    const pushed = await mga.with({ HF_TOKEN: 'hf_test', HF_ENDPOINT: hub })(...argv);
    expect(pushed.stderr).toBe('');
    expect(pushed.stdout).toContain(`Pushed to ${hub}/datasets/me/samples`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
  expect(asked.every(({ authorization }) => authorization === 'Bearer hf_test')).toBe(true);
  const commit = asked.find(({ path }) => path.includes('/api/datasets/me/samples/commit/main'))!;
  const files = commit.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; value: { path: string; content: string } })
    .filter(({ key }) => key === 'file');
  expect(files.map(({ value }) => value.path).sort()).toEqual([
    'README.md',
    'pairs-dev.jsonl',
    'pairs-train.jsonl',
    'reformulate-train.jsonl',
  ]);
  const card = files.find(({ value }) => value.path === 'README.md')!;
  expect(Buffer.from(card.value.content, 'base64').toString()).toContain('config_name: reformulate');
});
