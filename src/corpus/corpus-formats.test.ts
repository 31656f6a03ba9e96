/** Every format a corpus may have gives the same documents; filters and samples choose among them. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RecordBatchStreamWriter, tableFromArrays } from 'apache-arrow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recipeSchema } from '../recipe/schema.ts';
import { openMemoryStore } from '../store/database.ts';
import { writeParquet } from '../store/parquet.ts';
import { readDocuments } from './documents.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-corpora-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]) => join(folder, ...parts);
function put(name: string, content: string | Uint8Array): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
  return at(name);
}
const lines = (...rows: object[]) => rows.map((row) => JSON.stringify(row) + '\n').join('');
const read = async (corpus: object, seed?: number) => [
  ...(await readDocuments(recipeSchema.shape.corpus.parse(corpus), seed)).values(),
];
const ids = async (corpus: object, seed?: number) => (await read(corpus, seed)).map(({ id }) => id);

const ROWS = [
  { id: 'a', text: 'Bees dance.', title: 'Bees' },
  { id: 'b', text: 'Ants walk\nin lines.', title: 'Ants' },
];
const COLUMNS = { id: 'VARCHAR', text: 'VARCHAR', title: 'VARCHAR' };

describe('readDocuments() reads', () => {
  it('plain, gzip and zstd JSON Lines', async () => {
    expect(await read({ path: put('a.jsonl', lines(...ROWS)) })).toEqual(ROWS);
    expect(await read({ path: put('a.jsonl.gz', gzipSync(lines(...ROWS))) })).toEqual(ROWS);
    const path = at('b.jsonl.zst');
    const database = await openMemoryStore();
    const rows = ROWS.map(({ id, text, title }) => `('${id}', '${text}', '${title}')`).join(', ');
    await database.run(`copy (from (values ${rows}) t(id, text, title)) to '${path}' (format json, compression zstd)`);
    database.close();
    expect(await read({ path })).toEqual(ROWS);
  });

  it('Parquet and Arrow', async () => {
    await writeParquet(at('a.parquet'), ROWS, COLUMNS);
    expect(await read({ path: at('a.parquet') })).toEqual(ROWS);
    const columns = Object.fromEntries(Object.keys(COLUMNS).map((key) => [key, ROWS.map((row) => row[key as 'id'])]));
    const bytes = RecordBatchStreamWriter.writeAll(tableFromArrays(columns)).toUint8Array(true);
    put('set/data-00000-of-00001.arrow', bytes);
    put('set/state.json', '{}');
    put('set/dataset_info.json', '{}');
    expect(await read({ path: at('set') })).toEqual(ROWS);
  });

  it('folders of text and Markdown, with paths as ids', async () => {
    put('texts/animals/bees.md', '# Bees\n\nThey dance.');
    put('texts/ants.v2.txt', '\uFEFFAnts walk.');
    put('texts/.hidden.txt', 'x');
    put('texts/picture.png', 'x');
    expect(await read({ path: at('texts') })).toEqual([
      { id: 'animals/bees', text: '# Bees\n\nThey dance.' },
      { id: 'ants.v2', text: 'Ants walk.' },
    ]);
  });

  it('globs', async () => {
    for (const name of ['x/1.jsonl', 'x/2.jsonl', 'y/3.jsonl', 'y/z/4.jsonl'])
      put(name, lines({ id: name, text: name }));
    expect(await ids({ path: at('x', '*.jsonl') })).toEqual(['x/1.jsonl', 'x/2.jsonl']);
    expect(await ids({ path: at('{x,y}', '?.jsonl') })).toEqual(['x/1.jsonl', 'x/2.jsonl', 'y/3.jsonl']);
    expect(await ids({ path: at('**', '[34].jsonl').replace('[34]', '{3,4}') })).toEqual(['y/3.jsonl', 'y/z/4.jsonl']);
    await expect(read({ path: at('**', '*.csv') })).rejects.toThrow(/no file there is JSON Lines/);
  });

  it("FineWeb's and MGACorpus' rows, and fields the recipe names", async () => {
    const web = { text: 'A page.', id: '<urn:uuid:1>', url: 'u', language: 'en', language_score: 0.9, token_count: 3 };
    expect(await read({ path: put('web.jsonl', lines(web)) })).toEqual([{ id: '<urn:uuid:1>', text: 'A page.' }]);
    const mga = (genre: string) => ({
      content_split: `A ${genre}.`,
      meta: { chunk_id: 2, docid: 'd', genre, audience: 'all', raw_text: 'The source.' },
    });
    const path = put('mga.jsonl', lines(mga('fable'), mga('letter')));
    expect(await read({ path })).toEqual([{ id: 'd#2', text: 'The source.' }]);
    const fields = { text: 'content_split', id: 'meta.genre', domain: 'meta.audience' };
    expect(await read({ path, fields })).toEqual([
      { id: 'fable', text: 'A fable.', domain: 'all' },
      { id: 'letter', text: 'A letter.', domain: 'all' },
    ]);
  });

  it('gives rows without ids the same ids wherever they stand', async () => {
    const [one, two] = [{ text: 'one' }, { text: 'two' }];
    const first = await read({ path: put('1.jsonl', lines(one, two, one)) });
    const second = await read({ path: put('2.jsonl', lines(two, one)) });
    expect(first).toHaveLength(2);
    expect(second).toEqual([first[1], first[0]]);
  });
});

describe('readDocuments() filters', () => {
  const text = (word: string) =>
    `The ${word} is of the house and it was in the garden with the others, as they said to us.`;
  const german = 'Das ist der Hund von dem Mann, und er ist nicht mit der Frau in das Haus auf dem Berg gegangen.';

  it('languages, lengths and duplicates', async () => {
    const rows = [
      { id: 'en', text: text('dog') },
      { id: 'de', text: german },
      { id: 'said', text: 'short', language: 'en' },
      { id: 'again', text: text('dog') },
    ];
    const path = put('a.jsonl', lines(...rows));
    expect(await ids({ path, languages: ['en'] })).toEqual(['en', 'said']);
    expect(await ids({ path, languages: ['de'], minWords: 5 })).toEqual(['de']);
    expect(await ids({ path, maxWords: 3 })).toEqual(['said']);
    expect(await ids({ path, duplicates: 'keep' })).toHaveLength(4);
    await expect(ids({ path, minWords: 500 })).rejects.toThrow(/holds no documents/);
  });

  it('near-duplicates', async () => {
    const long = Array.from({ length: 80 }, (_, i) => `word${i}`).join(' ');
    const path = put('a.jsonl', lines({ id: 'a', text: long }, { id: 'b', text: `${long} more` }));
    expect(await ids({ path, duplicates: 'near' })).toEqual(['a']);
    expect(await ids({ path })).toEqual(['a', 'b']);
  });

  it('a seeded sample, whatever the order of the rows', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => ({ id: `d${i}`, text: `text ${i}` }));
    const path = put('a.jsonl', lines(...rows));
    const drawn = await ids({ path, sample: 20 }, 1);
    expect(drawn).toHaveLength(20);
    expect(drawn).toEqual(rows.map(({ id }) => id).filter((id) => drawn.includes(id)));
    const reversed = put('b.jsonl', lines(...[...rows].reverse()));
    expect((await ids({ path: reversed, sample: 20 }, 1)).reverse()).toEqual(drawn);
    expect(await ids({ path, sample: 20 }, 2)).not.toEqual(drawn);
  });
});

it('readDocuments() names a damaged file', async () => {
  const gz = gzipSync(lines(...ROWS));
  await expect(read({ path: put('a.jsonl.gz', gz.subarray(0, gz.length - 12)) })).rejects.toThrow(/a\.jsonl\.gz/);
  await expect(read({ path: put('a.parquet', 'x') })).rejects.toThrow(/Cannot read .*a\.parquet/);
  await expect(read({ path: put('a.arrow', 'x') })).rejects.toThrow(/a\.arrow/);
  await expect(read({ path: put('a.jsonl.zst', 'xxxx') })).rejects.toThrow(/a\.jsonl\.zst/);
});

it.runIf(process.env.MGA_MEASURE === '1')(
  'a sample of a 4 GB stream takes at most 100 MB more than one of 400 MB',
  () => {
    const peak = (megabytes: number) => {
      const script = new URL('../../test/corpus-memory.ts', import.meta.url).pathname;
      const out = execFileSync('npx', ['tsx', script, String(megabytes)], { encoding: 'utf8' });
      return (JSON.parse(out.trim().split('\n').at(-1)!) as { peak_mb: number }).peak_mb;
    };
    const [small, large] = [peak(400), peak(4000)];
    console.log(`peak of 400 MB: ${small} MB; of 4 GB: ${large} MB`);
    expect(large - small).toBeLessThan(100);
  },
  1_200_000,
);
