import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recipeSchema } from '../recipe/schema.ts';
import { readDocuments as read } from './documents.ts';

const readDocuments = (corpus: object, seed?: number) => read(recipeSchema.shape.corpus.parse(corpus), seed);

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-corpus-'));
  path = join(folder, 'documents.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('readDocuments()', () => {
  it('keeps order, title and domain, skips blank lines, and stops at the limit', async () => {
    writeFileSync(
      path,
      '{"id":"b","text":"two","title":"T","url":"u"}\r\n\n{"id":"a","text":"one"}\n{"id":"c","text":"x"}',
    );
    const documents = await readDocuments({ path, limit: 2 });
    expect([...documents.values()]).toEqual([
      { id: 'b', text: 'two', title: 'T' },
      { id: 'a', text: 'one' },
    ]);
  });

  it.each([
    ['no JSON', '{"id":"a","text":"one"}\nnot json', /line 2: .*JSON/],
    ['no text', '{"id":"a"}', /line 1: field `text`/],
    ['an empty text', '{"id":"a","text":" "}', /line 1: field `text`: the text is empty/],
    ['a list', '\n[]', /line 2: the row/],
    ['a repeated id', '{"id":"a","text":"x"}\n{"id":"a","text":"y"}', /`a` occurs twice/],
    ['nothing', '\n', /holds no documents/],
  ])('refuses a file with %s', async (_name, content, message) => {
    writeFileSync(path, content);
    await expect(readDocuments({ path })).rejects.toThrow(message);
  });

  it('names a file that is not there', async () => {
    await expect(readDocuments({ path: join(folder, 'absent.jsonl') })).rejects.toThrow(/absent\.jsonl/);
  });
});
