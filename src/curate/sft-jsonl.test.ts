import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSftJsonl, writeSftJsonl } from './sft-jsonl.ts';
import type { SftRow } from './sft-row.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sft-jsonl-'));
  path = join(folder, 'train.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const prompt = [{ role: 'user', content: 'Q' }];
const completion = [{ role: 'assistant', content: 'A' }];
const write = (...lines: unknown[]) =>
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));

test('readSftJsonl() accepts TRL rows without ids and numbers them', () => {
  write({ doc_id: 'd', stage: 'pairs', prompt, completion }, '', { prompt, completion });
  expect(readSftJsonl(path)).toEqual([
    { id: 'row-1', doc_id: 'd', stage: 'pairs', prompt, completion },
    { id: 'row-2', doc_id: 'row-2', stage: 'sft', prompt, completion },
  ]);
});

test.each([
  ['no JSON', '{"prompt": ', /train\.jsonl:2: .*JSON/],
  ['a list', [], /train\.jsonl:2: it is no JSON object/],
  ['no prompt', { completion }, /train\.jsonl:2: "prompt" is no list of messages/],
  ['an unknown role', { prompt: [{ role: 'robot', content: '' }], completion }, /:2: "prompt\[0\]\.role" is "robot"/],
  ['content that is no text', { prompt, completion: [{ role: 'assistant' }] }, /:2: "completion\[0\]\.content"/],
  ['a user completion', { prompt, completion: prompt }, /:2: "completion" holds a message that is not the assistant's/],
  ['a numeric id', { id: 7, prompt, completion }, /:2: "id" is no text/],
  ['too few shares', { prompt, completion, distribution: [1, 0] }, /:2: "distribution" is no list of five shares/],
  ['shares of nothing', { prompt, completion, distribution: [0, 0, 0, 0.5, 0.4] }, /:2: the shares .* add up to 0\.9/],
  ['a repeated id', { id: 'a', prompt, completion }, /:2: id "a" stands in line 1 already/],
])('readSftJsonl() names the line with %s', (_what, line, message) => {
  write({ id: 'a', prompt, completion }, line);
  expect(() => readSftJsonl(path)).toThrow(message);
});

test('readSftJsonl() refuses an empty file and a missing one', () => {
  write('');
  expect(() => readSftJsonl(path)).toThrow(/is empty/);
  expect(() => readSftJsonl(join(folder, 'none.jsonl'))).toThrow(/Cannot read .*none\.jsonl/);
});

test('writeSftJsonl() and readSftJsonl() are inverse', () => {
  const message = fc.record({ role: fc.constantFrom('user' as const, 'assistant' as const), content: fc.string() });
  const row: fc.Arbitrary<SftRow> = fc.record({
    id: fc.string({ unit: 'binary' }),
    doc_id: fc.string(),
    stage: fc.constantFrom('pairs', 'reformulate'),
    prompt: fc.array(message, { minLength: 1 }),
    completion: fc.array(fc.record({ role: fc.constant('assistant' as const), content: fc.string() }), {
      minLength: 1,
    }),
  });
  const rows = fc.uniqueArray(row, { minLength: 1, maxLength: 5, selector: ({ id }) => id });
  fc.assert(
    fc.property(rows, (list) => {
      writeSftJsonl(path, list);
      expect(readSftJsonl(path)).toEqual(list);
    }),
    { numRuns: 50 },
  );
});
