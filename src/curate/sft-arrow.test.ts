import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordBatchReader } from 'apache-arrow';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSft, writeSft } from './sft-arrow.ts';
import type { SftRow } from './sft-row.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sft-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const row = (n: number): SftRow => ({
  id: `doc-${n}/1`,
  doc_id: `doc-${n}`,
  stage: 'reformulate',
  prompt: [{ role: 'user', content: `Document:\nNaïve "text" ${n} 🦆` }],
  completion: [{ role: 'assistant', content: `Answer ${n}` }],
  ...(n % 2 ? { score: 4.5, genre: 'A letter.', audience: 'Bakers.' } : {}),
  ...(n % 3 ? {} : { distribution: [0, 0.125, 0.25, 0.5, 0.125] }),
});

test('readSft() returns what writeSft() was given, over several record batches', () => {
  const rows = Array.from({ length: 2300 }, (_, n) => row(n));
  writeSft(folder, rows);
  expect(readSft(folder)).toEqual(rows);
});

test('writeSft() writes an empty set that reads back empty, with the one batch Python needs', () => {
  writeSft(folder, []);
  const bytes = readFileSync(join(folder, 'data-00000-of-00001.arrow'));
  expect([...RecordBatchReader.from(bytes)].map(({ numRows }) => numRows)).toEqual([0]);
  expect(readSft(folder)).toEqual([]);
});

test('writeSft() writes an Arrow stream, not a file, and the keys load_from_disk asks for', () => {
  writeSft(folder, [row(1), row(2)]);
  const state = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));
  expect(Object.keys(state).sort()).toEqual([
    '_data_files',
    '_fingerprint',
    '_format_columns',
    '_format_kwargs',
    '_format_type',
    '_output_all_columns',
    '_split',
  ]);
  expect(JSON.parse(readFileSync(join(folder, 'dataset_info.json'), 'utf8'))).not.toHaveProperty('features');
  const bytes = readFileSync(join(folder, state._data_files[0].filename));
  // An encapsulated message starts with the continuation marker; an Arrow *file* would start with "ARROW1".
  expect([...bytes.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
  const reader = RecordBatchReader.from(bytes).open();
  expect(reader.schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
    'id: Utf8',
    'doc_id: Utf8',
    'stage: Utf8',
    'prompt: List<Struct<{role:Utf8, content:Utf8}>>',
    'completion: List<Struct<{role:Utf8, content:Utf8}>>',
    'score: Float64',
    'distribution: List<Float64>',
    'genre: Utf8',
    'audience: Utf8',
  ]);
});

test('writeSft() gives equal bytes for equal rows', () => {
  writeSft(folder, [row(1), row(2)]);
  const first = readFileSync(join(folder, 'data-00000-of-00001.arrow'));
  writeSft(folder, [row(1), row(2)]);
  expect(readFileSync(join(folder, 'data-00000-of-00001.arrow')).equals(first)).toBe(true);
});

test('readSft() names the folder that is no set, and one that is damaged', () => {
  expect(() => readSft(join(folder, 'none'))).toThrow(/Cannot read SFT set .*none: it has no state.json/);
  writeSft(folder, [row(1)]);
  writeFileSync(join(folder, 'data-00000-of-00001.arrow'), 'no arrow');
  expect(() => readSft(folder)).toThrow(/Cannot read SFT set/);
});
