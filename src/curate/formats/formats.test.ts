import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChatMessage } from '../../stage/stage.ts';
import { writeParquet } from '../../store/parquet.ts';
import { writeSft } from '../sft-arrow.ts';
import type { SftRow } from '../sft-row.ts';
import { EXPORT_FORMATS, exportSft } from './export-sft.ts';
import { importSft } from './import-sft.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'formats-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const content = fc.string({ unit: 'grapheme' });
const message = <R extends ChatMessage['role']>(role: R) => fc.record({ role: fc.constant(role), content });
/** A conversation as the formats can hold it: perhaps a system message, turns in alternation, ending with the user's. */
const prompt = fc
  .tuple(fc.option(message('system')), fc.array(fc.tuple(message('user'), message('assistant'))), message('user'))
  .map(([system, turns, last]) => [...(system ? [system] : []), ...turns.flat(), last]);
const row: fc.Arbitrary<SftRow> = fc.record(
  {
    id: fc.uuid(),
    doc_id: fc.string(),
    stage: fc.constantFrom('pairs', 'reformulate'),
    prompt,
    completion: message('assistant').map((only) => [only]),
    score: fc.double({ min: 1, max: 5, noNaN: true }),
    genre: fc.string(),
    audience: fc.string(),
  },
  { requiredKeys: ['id', 'doc_id', 'stage', 'prompt', 'completion'] },
);
const rows = fc.uniqueArray(row, { minLength: 1, maxLength: 4, selector: ({ id }) => id });

test.each(EXPORT_FORMATS)('importSft() reads what exportSft() wrote as %s', async (format) => {
  await fc.assert(
    fc.asyncProperty(rows, async (list) => {
      expect(await importSft(await exportSft(list, format, folder, 'train'))).toEqual(list);
    }),
    // Each Parquet file costs two databases.
    { numRuns: format === 'parquet' ? 4 : 30 },
  );
});

test('exportSft() lists each ShareGPT file in dataset_info.json', async () => {
  const [only] = fc.sample(row, 1) as [SftRow];
  await exportSft([only], 'sharegpt', folder, 'train');
  await exportSft([only], 'sharegpt', folder, 'dev');
  const info = JSON.parse(readFileSync(join(folder, 'dataset_info.json'), 'utf8'));
  expect(Object.keys(info)).toEqual(['train', 'dev']);
  expect(info.dev).toMatchObject({ file_name: 'dev.json', formatting: 'sharegpt' });
});

describe('importSft()', () => {
  const user = (text: string) => ({ role: 'user', content: text });
  const assistant = (text: string) => ({ role: 'assistant', content: text });

  const write = (...records: unknown[]) => {
    const path = join(folder, 'records.jsonl');
    writeFileSync(path, records.map((record) => JSON.stringify(record) + '\n').join(''));
    return path;
  };

  test('reads Curator responses, structured ones as JSON', async () => {
    const request = { messages: [user('Q')], original_row_idx: 3, model: 'm' };
    const path = write(
      { generic_request: request, response_message: 'A', finish_reason: 'stop' },
      { generic_request: { ...request, original_row_idx: 4 }, response_message: { answer: 1 } },
    );
    expect(await importSft(path)).toEqual([
      { id: 'curator-3', doc_id: 'curator-3', stage: 'sft', prompt: [user('Q')], completion: [assistant('A')] },
      {
        id: 'curator-4',
        doc_id: 'curator-4',
        stage: 'sft',
        prompt: [user('Q')],
        completion: [assistant('{"answer":1}')],
      },
    ]);
  });

  test('reads distilabel Parquet', async () => {
    const path = join(folder, 'distilabel.parquet');
    const columns = { instruction: 'VARCHAR', generation: 'VARCHAR', system_prompt: 'VARCHAR' };
    await writeParquet(
      path,
      [
        { instruction: 'Q', generation: 'A', system_prompt: null },
        { instruction: 'R', generation: 'B', system_prompt: 'S' },
      ],
      columns,
    );
    expect((await importSft(path)).map(({ prompt, completion }) => [...prompt, ...completion])).toEqual([
      [user('Q'), assistant('A')],
      [{ role: 'system', content: 'S' }, user('R'), assistant('B')],
    ]);
  });

  test('reads stored chat completions of OpenAI', async () => {
    const stored = { id: 'chatcmpl-1', object: 'chat.completion', choices: [{ index: 0, message: assistant('A') }] };
    const [row, other] = await importSft(
      write(
        { ...stored, messages: { object: 'list', data: [{ id: 'm', ...user('Q') }] } },
        { ...stored, id: 'chatcmpl-2', request: { messages: [user('Q')] } },
      ),
    );
    expect(row).toEqual({
      id: 'chatcmpl-1',
      doc_id: 'chatcmpl-1',
      stage: 'sft',
      prompt: [user('Q')],
      completion: [assistant('A')],
    });
    expect(other).toMatchObject({ id: 'chatcmpl-2', prompt: [user('Q')] });
  });

  test('holds a file to the format that is named', async () => {
    const chat = write({ messages: [user('Q'), assistant('A')] });
    expect(await importSft(chat, 'openai')).toHaveLength(1);
    await expect(importSft(chat, 'curator')).rejects.toThrow(/records\.jsonl:1: it is no curator record/);
  });

  test('reads an Arrow folder', async () => {
    const list = fc.sample(rows, 1)[0]!;
    writeSft(folder, list);
    expect(await importSft(folder)).toEqual(list);
  });

  test('learns the last answer of a chat alone', async () => {
    const messages = [user('1'), assistant('2'), user('3'), assistant('4')];
    expect((await importSft(write({ messages })))[0]).toMatchObject({
      prompt: messages.slice(0, 3),
      completion: messages.slice(3),
    });
  });

  test.each([
    ['a record of no known format', { question: 'Q' }, /records\.jsonl:2: "prompt" is no list of messages/],
    ['a chat that does not end with the assistant', { messages: [user('Q')] }, /:2: "completion" is no list/],
    ['an unknown speaker', { conversations: [{ from: 'bot', value: '' }] }, /:2: "prompt\[0\]\.role" is "bot"/],
    ['a repeated id', { id: 'a', prompt: [user('Q')], completion: [assistant('A')] }, /:2: id "a" is not the first/],
  ])('names the line of %s', async (_what, record, error) => {
    const good = { id: 'a', prompt: [user('Q')], completion: [assistant('A')] };
    await expect(importSft(write(good, record))).rejects.toThrow(error);
  });

  test('refuses a missing file, and a .json file that is no array', async () => {
    await expect(importSft(join(folder, 'none.jsonl'))).rejects.toThrow(/there is no such file/);
    writeFileSync(join(folder, 'one.json'), '{}');
    await expect(importSft(join(folder, 'one.json'))).rejects.toThrow(/it is no JSON array/);
  });
});
