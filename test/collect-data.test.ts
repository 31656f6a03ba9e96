/** The data that ships is what the script makes of the recording, and its splits keep documents apart. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSplits, SPLIT_NAMES, type Splits } from '../src/corpus/splits.ts';

const rows = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);

const splitOf = (splits: Splits) =>
  new Map(SPLIT_NAMES.flatMap((name) => splits[name].map((id) => [id, name] as const)));

describe('data/', () => {
  const mga = readSplits('data/mga/splits.json');
  const quickstart = readSplits('data/quickstart/splits.json');

  it('is reproduced by scripts/make-quickstart-data.ts', () => {
    const target = mkdtempSync(join(tmpdir(), 'mga-data-'));
    try {
      execFileSync(process.execPath, ['--import', 'tsx', 'scripts/make-quickstart-data.ts', 'data/recorded', target]);
      for (const folder of ['mga', 'quickstart']) {
        for (const file of readdirSync(join(target, folder))) {
          const made = readFileSync(join(target, folder, file), 'utf8');
          expect(made === readFileSync(join('data', folder, file), 'utf8'), `${folder}/${file}`).toBe(true);
        }
      }
    } finally {
      rmSync(target, { recursive: true });
    }
  });

  it('has every recorded document in one split, and the quickstart in the same splits', () => {
    expect([...splitOf(mga).keys()].sort()).toEqual(
      rows('data/recorded/documents.jsonl')
        .map((row) => row.id!)
        .sort(),
    );
    expect(SPLIT_NAMES.map((name) => mga[name].length)).toEqual([176, 14, 40]);
    expect(SPLIT_NAMES.map((name) => quickstart[name].length)).toEqual([40, 6, 14]);
    for (const [id, name] of splitOf(quickstart)) expect(splitOf(mga).get(id)).toBe(name);
  });

  it('holds out flawed and student-made texts, and leaves some to fit a judge on', () => {
    for (const [folder, splits] of Object.entries({ mga, quickstart })) {
      const counts = new Map<string, number>();
      for (const { doc_id, kind } of rows(`data/${folder}/judge-texts.jsonl`)) {
        const name = `${splitOf(splits).get(doc_id!)} ${kind}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      for (const kind of ['student', 'flawed']) {
        expect(counts.get(`validation ${kind}`), `${folder} ${kind}`).toBeGreaterThanOrEqual(14);
        expect(counts.get(`train ${kind}`), `${folder} ${kind}`).toBeGreaterThanOrEqual(24);
      }
    }
  });

  it('never offers a flawed or relaxed text as a reformulation', () => {
    const base = new Set(
      rows('data/recorded/texts.jsonl')
        .filter((row) => row.kind === 'base')
        .map((row) => row.text),
    );
    for (const { kind, text } of rows('data/mga/judge-texts.jsonl')) {
      if (kind === 'flawed' || kind === 'relaxed') expect(base.has(text)).toBe(false);
    }
  });
});
