import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunFolder, runFolder } from '../foundation/run-folder.ts';
import { openStore } from './database.ts';
import { explain } from './explain.ts';
import { MIGRATIONS } from './migrations.ts';
import { readParquet, writeParquet } from './parquet.ts';
import { rebuildStore, type StoreContents } from './rebuild-store.ts';

let folder: RunFolder;
beforeEach(() => {
  folder = runFolder(mkdtempSync(join(tmpdir(), 'store-')));
  mkdirSync(folder.ledger);
});
afterEach(() => rmSync(folder.root, { recursive: true }));

const base = { stage: 'reformulate', docId: 'd1', item: 'd1/1', model: 'teacher', promptVersion: 'reformulate-1' };
const messages = [{ role: 'user', content: 'Rewrite "this"' }];
const ledgerLines = [
  { type: 'sent', key: 'k1', ...base, at: '2026-01-01T00:00:00.000Z' },
  { type: 'failure', key: 'k1', ...base, reason: '429', attempts: 1, final: false, at: '2026-01-01T00:00:01.000Z' },
  { type: 'sent', key: 'k1', ...base, at: '2026-01-01T00:00:02.000Z' },
  {
    type: 'response',
    key: 'k1',
    ...base,
    messages,
    params: { temperature: 0.7, maxTokens: 100 },
    text: 'An answer.',
    finishReason: 'stop',
    usage: { promptTokens: 10, completionTokens: 5 },
    usd: 0.25,
    latencyMs: 12.5,
    at: '2026-01-01T00:00:03.000Z',
  },
  { type: 'sent', key: 'k2', ...base, item: 'd1/2', at: '2026-01-01T00:00:04.000Z' },
  { type: 'sent', key: 'k3', ...base, item: 'd1/3', at: '2026-01-01T00:00:05.000Z' },
  { type: 'failure', key: 'k3', ...base, item: 'd1/3', reason: 'refused', final: true, at: '2026-01-01T00:00:06.000Z' },
];

function contents(): StoreContents {
  const ledger = join(folder.ledger, '0001.jsonl');
  writeFileSync(ledger, ledgerLines.map((line) => JSON.stringify(line) + '\n').join(''));
  return {
    ledger: folder.ledger,
    documents: [{ id: 'd1', split: 'train', title: 'One', text: "It's a document.\nIt has lines." }],
    scores: [{ text_id: 'd1/1', doc_id: 'd1', repeat: 1, score: 2, analysis: 'Drifts.' }],
    samples: [
      { id: 'd1/1', round: 1, stage: 'reformulate', split: 'train', doc_id: 'd1', score: 2, text: 'An answer.' },
    ],
    decisions: [
      { sample_id: 'd1/1', round: 1, stage: 'reformulate', kept: false, rule: 'score', reason: 'score 2 is below 4' },
    ],
  };
}

describe('explain()', () => {
  test('tells prompt, raw answer, score, decision and price of an item', async () => {
    await rebuildStore(folder.store, contents());
    const found = await explain(folder, 'd1/1');
    expect(found.document).toMatchObject({ id: 'd1', split: 'train', text: "It's a document.\nIt has lines." });
    expect(found.calls).toEqual([
      expect.objectContaining({
        key: 'k1',
        state: 'answered',
        sent: 2,
        messages,
        params: { temperature: 0.7, maxTokens: 100 },
        text: 'An answer.',
        finish_reason: 'stop',
        prompt_tokens: 10,
        completion_tokens: 5,
        usd: 0.25,
        failure: '429',
      }),
    ]);
    expect(found.scores).toEqual([{ text_id: 'd1/1', repeat: 1, score: 2, analysis: 'Drifts.' }]);
    expect(found.samples).toEqual([
      expect.objectContaining({ kept: false, rule: 'score', reason: 'score 2 is below 4', genre: null }),
    ]);
    expect(found).toMatchObject({ usd: 0.25, note: null });
  });

  test('tells what became of every request of a document', async () => {
    await rebuildStore(folder.store, contents());
    const { calls } = await explain(folder, 'd1');
    expect(calls.map(({ item, state }) => [item, state])).toEqual([
      ['d1/1', 'answered'],
      ['d1/2', 'unanswered'],
      ['d1/3', 'failed'],
    ]);
  });

  test('reads the ledger alone while there is no store, past a torn last line', async () => {
    contents();
    appendFileSync(join(folder.ledger, '0001.jsonl'), '{"type":"sent","key":"k4","item":"d1/');
    const found = await explain(folder, 'd1/1');
    expect(found.calls[0]).toMatchObject({ text: 'An answer.', usd: 0.25 });
    expect(found.note).toMatch(/curate has not run yet/);
    expect((await explain(folder, 'd1')).calls).toHaveLength(3);
  });

  test('names the nearest ids for one it does not know', async () => {
    await rebuildStore(folder.store, contents());
    await expect(explain(folder, 'd1/9')).rejects.toMatchObject({
      message: expect.stringMatching(/Cannot explain "d1\/9"/),
      hint: expect.stringMatching(/Nearest ids: d1\/1/),
    });
  });
});

test('rebuildStore() makes the same store again from nothing, and again over itself', async () => {
  const rows = async () => {
    const database = await openStore(folder.store);
    const tables = ['documents', 'calls', 'samples', 'scores', 'decisions'];
    const found = [];
    for (const table of tables) found.push(await database.query(`select * from ${table}`));
    database.close();
    return found;
  };
  await rebuildStore(folder.store, contents());
  const first = await rows();
  expect(first.map((table) => table.length)).toEqual([1, 3, 1, 1, 1]);
  await rebuildStore(folder.store, contents());
  expect(await rows()).toEqual(first);
  rmSync(folder.store);
  await rebuildStore(folder.store, contents());
  expect(await rows()).toEqual(first);
});

test('openStore() brings an older store forward, keeps its rows, and refuses a newer one', async () => {
  const next = { number: MIGRATIONS.length + 1, name: 'more', sql: 'alter table documents add column words integer' };
  const old = await openStore(folder.store);
  await old.run("insert into documents (id, text) values ('d', 't')");
  old.close();
  const newer = await openStore(folder.store, [...MIGRATIONS, next]);
  expect(await newer.query('select id, words from documents')).toEqual([{ id: 'd', words: null }]);
  newer.close();
  await expect(openStore(folder.store)).rejects.toThrow(`a newer version made it (migration ${next.number}`);
});

test('openStore() leaves no trace of a migration that fails', async () => {
  const broken = {
    number: MIGRATIONS.length + 1,
    name: 'broken',
    sql: 'create table half (x integer); select no_such_function()',
  };
  await expect(openStore(folder.store, [...MIGRATIONS, broken])).rejects.toThrow();
  const database = await openStore(folder.store);
  expect(await database.query("select * from information_schema.tables where table_name = 'half'")).toEqual([]);
  database.close();
});

test('openStore() tells of a damaged file what to do', async () => {
  writeFileSync(folder.store, 'this is no database file, but long enough to be looked at as one'.repeat(100));
  await expect(openStore(folder.store)).rejects.toMatchObject({ hint: expect.stringMatching(/made again/) });
});

test('openStore() names the process that holds the store; explain() then reads the ledger', async () => {
  await rebuildStore(folder.store, contents());
  const script = `
    const { DuckDBInstance } = await import('@duckdb/node-api');
    globalThis.held = await DuckDBInstance.create(process.argv[1]);
    process.stdout.write('open');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script, folder.store], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(holder.stdout, 'data');
    await expect(openStore(folder.store)).rejects.toThrow(`process ${holder.pid} holds it`);
    const found = await explain(folder, 'd1/1');
    expect(found.calls).toHaveLength(1);
    expect(found.note).toMatch(/holds it.*from the ledger alone/);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
});

test('writeParquet() keeps order, nested lists and nulls', async () => {
  const path = join(folder.root, 'rows.parquet');
  const rows = [
    { id: 'b', prompt: [{ role: 'user', content: 'x "y"\n' }], score: 4.5 },
    { id: 'a', prompt: [], score: null },
  ];
  await writeParquet(path, rows, { id: 'VARCHAR', prompt: 'STRUCT(role VARCHAR, content VARCHAR)[]', score: 'DOUBLE' });
  expect(await readParquet(path)).toEqual(rows);
  await writeParquet(path, [], { id: 'VARCHAR' });
  expect(await readParquet(path)).toEqual([]);
  expect(existsSync(`${path}.tmp-${process.pid}`)).toBe(false);
});
