/** SFT sets as other programs read them: Python's datasets, and back. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSft, writeSft } from '../../src/curate/sft-arrow.ts';
import type { SftRow } from '../../src/curate/sft-row.ts';
import { python } from './python.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sft-interop-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LOAD = `
import json, sys
from datasets import load_from_disk
d = load_from_disk(sys.argv[1])
d.data.table.validate(full=True)
print(json.dumps({"rows": [d[i] for i in range(len(d))], "columns": d.column_names}))
`;

/** Python's own copy, filtered and mapped on the way, so that its index and schema code has worked on our schema. */
const RESAVE = `
import json, sys
from datasets import load_from_disk
d = load_from_disk(sys.argv[1])
d = d.map(lambda r: {"genre": r["genre"]}).filter(lambda r: r["id"] != "none")
d.save_to_disk(sys.argv[2])
d.to_parquet(sys.argv[2] + ".parquet")
print(json.dumps(len(d)))
`;

const rows: SftRow[] = Array.from({ length: 1203 }, (_, n) => ({
  id: `d${n}/1`,
  doc_id: `d${n}`,
  stage: 'reformulate',
  prompt: [
    { role: 'system', content: '' },
    { role: 'user', content: `Document:\nNaïve "quotes" ${n} 🦆` },
  ],
  completion: [{ role: 'assistant', content: `Answer\n${n}` }],
  ...(n % 3 ? { score: 4.5, genre: 'A letter.', audience: 'Bakers.' } : {}),
  ...(n % 4 ? {} : { distribution: [0, 0, 0.25, 0.5, 0.25] }),
}));

test('datasets.load_from_disk() opens a set and finds every row', () => {
  writeSft(folder, rows);
  const found = python(LOAD, folder) as { rows: SftRow[]; columns: string[] };
  const columns = ['id', 'doc_id', 'stage', 'prompt', 'completion', 'score', 'distribution', 'genre', 'audience'];
  expect(found.columns).toEqual(columns);
  const absent = { score: null, distribution: null, genre: null, audience: null };
  expect(found.rows).toEqual(rows.map((row) => ({ ...absent, ...row })));
});

test('datasets.load_from_disk() opens an empty set', () => {
  writeSft(folder, []);
  expect(python(LOAD, folder)).toMatchObject({ rows: [] });
});

test('readSft() reads what Dataset.save_to_disk() wrote', () => {
  const copy = join(folder, 'copy');
  writeSft(folder, rows);
  expect(python(RESAVE, folder, copy)).toBe(rows.length);
  expect(readSft(copy)).toEqual(rows);
});
