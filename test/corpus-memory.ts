/** Reads a seeded sample of a generated stream and prints this process's peak memory: corpus-memory.ts MEGABYTES [parquet]. */

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { readDocuments } from '../src/corpus/documents.ts';
import { recipeSchema } from '../src/recipe/schema.ts';

const megabytes = Number(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'mga-memory-'));
const path = join(folder, 'stream.jsonl.gz');
/** Repetitive, so that gigabytes take little room on disk and little time to pack. */
const filler = 'A sentence about bees that dance. '.repeat(120);

function* rows(): Generator<string> {
  let written = 0;
  for (let i = 0; written < megabytes * 1e6; i++) {
    const line = `${JSON.stringify({ id: `d${i}`, text: `${i} ${filler}` })}\n`;
    written += line.length;
    yield line;
  }
}

try {
  await pipeline(Readable.from(rows()), createGzip({ level: 1 }), createWriteStream(path));
  const before = performance.now();
  const corpus = recipeSchema.shape.corpus.parse({ path, sample: 1000 });
  const documents = await readDocuments(corpus, 1);
  const peak_mb = Math.round(process.resourceUsage().maxRSS / 1024);
  const seconds = Math.round((performance.now() - before) / 1000);
  console.log(JSON.stringify({ megabytes, documents: documents.size, peak_mb, seconds }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
