/** A data set on the hub as a corpus, against a local fake: files fetched when they are reached, kept, and read without the hub. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readDocuments } from '../src/corpus/documents.ts';
import { InterruptedError } from '../src/foundation/errors.ts';
import { recipeSchema } from '../src/recipe/schema.ts';
import { writeParquet } from '../src/store/parquet.ts';
import { type FakeDataset, type FakeHub, startFakeHub } from './fake-hub.ts';
import { mga } from './mga-here.ts';

const REPO = 'someone/pages';
const MAIN = 'a'.repeat(40);
const TAGGED = 'b'.repeat(40);
const ADDRESS = `hf://datasets/${REPO}`;
const lines = (...ids: string[]) => ids.map((id) => `${JSON.stringify({ id, text: `The text of ${id}.` })}\n`).join('');

let shards: string;
let files: FakeDataset['files'];
beforeAll(async () => {
  shards = mkdtempSync(join(tmpdir(), 'mga-shards-'));
  const parquet = async (...ids: string[]) => {
    const path = join(shards, `${ids[0]}.parquet`);
    await writeParquet(
      path,
      ids.map((id) => ({ id, text: `The text of ${id}.` })),
      { id: 'VARCHAR', text: 'VARCHAR' },
    );
    return readFileSync(path);
  };
  files = {
    '.gitattributes': '*.parquet filter=lfs',
    'README.md': '---\nlicense: mit\n---\n',
    'data/train-00000.parquet': await parquet('p1', 'p2'),
    'data/train-00001.parquet': await parquet('p3'),
    'extra/notes #1.jsonl': lines('j1'),
  };
});
afterAll(() => rmSync(shards, { recursive: true }));

let root: string;
let hub: FakeHub | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mga-hub-'));
  vi.stubEnv('MGA_CACHE', join(root, 'mga'));
  vi.stubEnv('HF_HUB_CACHE', join(root, 'hub'));
  vi.stubEnv('HF_HUB_OFFLINE', '');
  vi.stubEnv('HF_TOKEN', '');
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

async function serve(changes: Partial<FakeDataset> = {}): Promise<FakeHub> {
  hub = await startFakeHub({ repo: REPO, revisions: { main: MAIN, 'v1/old': TAGGED }, files, ...changes });
  vi.stubEnv('HF_ENDPOINT', `${hub.url}/`);
  return hub;
}

const messages: string[] = [];
const emit = (event: { type: string; message?: string }) => void messages.push(event.message ?? event.type);

async function ids(path: string, changes: object = {}, signal = new AbortController().signal): Promise<string[]> {
  messages.length = 0;
  const corpus = recipeSchema.shape.corpus.parse({ path, ...changes });
  return [...(await readDocuments(corpus, 0, { emit, signal })).keys()];
}

const fetched = () => hub!.asked.filter((path) => path.includes('/resolve/')).map((path) => path.split(`${MAIN}/`)[1]);

describe('readDocuments() from the hub', () => {
  test('reads a whole data set, a folder, a glob and a file, Parquet and JSON Lines', async () => {
    await serve();
    expect(await ids(ADDRESS)).toEqual(['p1', 'p2', 'p3', 'j1']);
    expect(await ids(`${ADDRESS}/data`)).toEqual(['p1', 'p2', 'p3']);
    expect(await ids(`${ADDRESS}@main/**/*1.{parquet,jsonl}`)).toEqual(['p3', 'j1']);
    expect(await ids(`${ADDRESS}/extra/notes #1.jsonl`)).toEqual(['j1']);
  });

  test('fetches a file when it is reached, once, and asks the hub nothing later', async () => {
    await serve();
    expect(await ids(ADDRESS, { limit: 2 })).toEqual(['p1', 'p2']);
    expect(new Set(fetched())).toEqual(new Set(['data/train-00000.parquet']));
    expect(messages).toEqual([expect.stringMatching(/^Downloading data\/train-00000\.parquet of someone\/pages \(\d/)]);
    // Where Python looks for it, too.
    expect(existsSync(join(root, 'hub/datasets--someone--pages/snapshots', MAIN, 'data/train-00000.parquet'))).toBe(
      true,
    );
    const asked = hub!.asked.length;
    expect(await ids(ADDRESS, { limit: 2 })).toEqual(['p1', 'p2']);
    expect(hub!.asked.length).toBe(asked);
    expect(await ids(ADDRESS)).toHaveLength(4);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await hub!.close();
    expect(await ids(ADDRESS)).toHaveLength(4);
    expect(messages).toEqual([]);
  });

  test('takes a tag or commit, and shows a token where one is set', async () => {
    await serve({ token: 'hf_read' });
    await expect(ids(ADDRESS)).rejects.toMatchObject({
      message: expect.stringContaining('knows no such data set or revision, or does not show it (401)'),
      hint: expect.stringContaining('HF_TOKEN'),
    });
    vi.stubEnv('HF_TOKEN', 'hf_read');
    expect(await ids(`${ADDRESS}@v1%2Fold/data`)).toEqual(['p1', 'p2', 'p3']);
    expect(existsSync(join(root, 'hub/datasets--someone--pages/snapshots', TAGGED, 'data/train-00001.parquet'))).toBe(
      true,
    );
    await expect(ids(`${ADDRESS}@none`)).rejects.toThrow('(404)');
  });

  test('says what to do where the hub cannot be asked', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    await expect(ids(ADDRESS)).rejects.toMatchObject({
      message: expect.stringMatching(
        /nothing of it is here, and the hub .* cannot be asked: switched off by HF_HUB_OFFLINE/,
      ),
      hint: expect.stringContaining('give their folder as corpus.path'),
    });
    vi.stubEnv('HF_HUB_OFFLINE', '');
    // A reserved port, where nobody listens.
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:59');
    await expect(ids(ADDRESS)).rejects.toThrow(/the hub \(http:\/\/127\.0\.0\.1:59\) cannot be asked: .*ECONNREFUSED/);
  });

  test('reads what another tool left in the cache of the hub', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const cache = join(root, 'hub/datasets--someone--pages');
    mkdirSync(join(cache, 'refs'), { recursive: true });
    mkdirSync(join(cache, 'snapshots', MAIN, 'data'), { recursive: true });
    writeFileSync(join(cache, 'refs/main'), MAIN);
    writeFileSync(join(cache, 'snapshots', MAIN, 'data/a.jsonl'), lines('c1', 'c2'));
    expect(await ids(`${ADDRESS}/data/*.jsonl`)).toEqual(['c1', 'c2']);
  });

  test('refuses files that are not what the hub says, and keeps none of them', async () => {
    await serve({ sha256: 'f'.repeat(64) });
    await expect(ids(ADDRESS)).rejects.toThrow("its SHA-256 is not the hub's");
    expect(existsSync(join(root, 'hub/datasets--someone--pages/snapshots', MAIN, 'data/train-00000.parquet'))).toBe(
      false,
    );
  });

  test('names what is wrong with an address', async () => {
    await serve();
    await expect(ids('hf://someone/pages')).rejects.toMatchObject({ hint: expect.stringContaining('hf://datasets/') });
    await expect(ids(`${ADDRESS}/*.csv`)).rejects.toMatchObject({
      message: expect.stringContaining('*.csv names no file in JSON Lines'),
      hint: expect.stringContaining('data/train-00000.parquet'),
    });
  });

  test('stops on Ctrl-C', async () => {
    await serve();
    const stop = new AbortController();
    stop.abort();
    await expect(ids(ADDRESS, {}, stop.signal)).rejects.toThrow(InterruptedError);
  });
});

test('mga doctor says whether the corpus is there', async () => {
  await serve();
  const recipe = join(root, 'recipe.yaml');
  writeFileSync(
    recipe,
    `name: hub\ncorpus: {path: "${ADDRESS}"}\nteacher: {kind: recorded, folder: data/quickstart}\nstudents: [{name: p, stages: [pairs], train: {model: none}}]\n`,
  );
  const checked = await mga('doctor', recipe);
  expect(checked.stdout).toContain(`Corpus: ${ADDRESS}: 3 files`);
});

test('mga plan says on stderr what it downloads and how large it is, once', async () => {
  await serve();
  const recipe = join(root, 'recipe.yaml');
  writeFileSync(
    recipe,
    `name: hub\ncorpus: {path: "${ADDRESS}/data"}\nsplits: {dev: 0.3, validation: 0.3}\nteacher: {kind: recorded, folder: data/quickstart}\nstudents: [{name: p, stages: [pairs], train: {model: none}}]\n`,
  );
  const plan = await mga('plan', recipe, '--json', '--out', join(root, 'run'));
  expect(plan.stderr).toMatch(/^(Downloading data\/train-0000[01]\.parquet of someone\/pages \([\d.]+ MB\)\n){2}$/);
  expect(JSON.parse(plan.stdout).documents).toEqual({ train: 1, dev: 1, validation: 1 });
  expect((await mga('plan', recipe, '--json', '--out', join(root, 'run'))).stderr).toBe('');
});
