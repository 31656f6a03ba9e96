/** The documents of a recipe's corpus: read, filtered, sampled and cut to a length that fits a prompt. */

import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { SourceDocument } from '../stage/stage.ts';
import { chunks } from './chunks.ts';
import { type CorpusFile, corpusFiles } from './corpus-files.ts';
import { corpusRows } from './corpus-rows.ts';
import { FingerprintSet } from './fingerprint-set.ts';
import { isHubAddress } from './hub-address.ts';
import { language } from './language.ts';
import { nearDuplicates } from './near-duplicates.ts';
import { SeededSample } from './seeded-sample.ts';
import { type SourceRow, sourceRow } from './source-row.ts';
import { words } from './words.ts';

export type CorpusSettings = Recipe['corpus'];

/**
 * Documents by id, in the order of the files. Only what is kept lies in memory, so a `sample` or `limit` of a corpus of any
 * size does.
 *
 * @param seed of `corpus.sample`
 * @param context told of downloads, and stops them; default: silent
 * @throws UserError naming file and line of an unreadable row, a repeated id, or a corpus without documents
 */
export async function readDocuments(
  corpus: CorpusSettings,
  seed = 0,
  context: Partial<RunContext> = {},
): Promise<Map<string, SourceDocument>> {
  const stream = streamDocuments(corpus, context);
  const kept = corpus.sample === undefined ? await allOf(stream) : await sampleOf(stream, corpus.sample, seed);
  const distinct = corpus.duplicates === 'near' ? withoutNearDuplicates(kept) : kept;
  const documents = new Map<string, SourceDocument>();
  for (const document of distinct) {
    for (const part of chunks(document, corpus.chunkTokens)) {
      if (documents.has(part.id)) throw repeated(corpus.path, part.id);
      documents.set(part.id, part);
    }
  }
  if (documents.size === 0) {
    throw new UserError(
      `Cannot use ${corpus.path}: it holds no documents`,
      'Or none that pass the filters of `corpus`',
    );
  }
  return documents;
}

async function allOf(stream: AsyncIterable<SourceDocument>): Promise<SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for await (const document of stream) documents.push(document);
  return documents;
}

async function sampleOf(stream: AsyncIterable<SourceDocument>, size: number, seed: number): Promise<SourceDocument[]> {
  const sample = new SeededSample<SourceDocument>(size, seed);
  for await (const document of stream) sample.add(document);
  return sample.items();
}

/** Every document that passes the filters, whole, at most `corpus.limit`. */
export async function* streamDocuments(
  corpus: CorpusSettings,
  context: Partial<RunContext> = {},
): AsyncGenerator<SourceDocument> {
  const met = new FingerprintSet();
  let count = 0;
  for (const file of await filesOf(corpus.path, context)) {
    const here = file.fetch === undefined ? file : { ...file, path: await file.fetch() };
    for await (const { value, where } of corpusRows(here)) {
      const row = sourceRow(value, where, corpus.fields);
      if (!passes(row, corpus)) continue;
      const { idFromText, language: _language, ...document } = row;
      // Equal texts whose ids come from the text could not be told apart.
      if ((corpus.duplicates !== 'keep' || idFromText) && !met.add(document.text)) continue;
      yield document;
      if (++count === corpus.limit) return;
    }
  }
}

/** The hub's library is loaded only where a corpus lies there. */
export async function filesOf(path: string, context: Partial<RunContext> = {}): Promise<CorpusFile[]> {
  return isHubAddress(path) ? (await import('./hub-dataset.ts')).hubFiles(path, context) : corpusFiles(path);
}

function passes(row: SourceRow, { languages, minWords, maxWords }: CorpusSettings): boolean {
  if (minWords !== undefined || maxWords !== undefined) {
    const count = words(row.text).length;
    if (count < (minWords ?? 0) || count > (maxWords ?? Number.POSITIVE_INFINITY)) return false;
  }
  if (languages === undefined) return true;
  // What the row says counts before what its words say.
  const own = row.language?.toLowerCase() ?? language(row.text);
  return own !== undefined && languages.some((code) => own === code || own.startsWith(`${code}-`));
}

function withoutNearDuplicates(documents: readonly SourceDocument[]): SourceDocument[] {
  const duplicates = nearDuplicates(documents);
  return documents.filter(({ id }) => !duplicates.has(id));
}

function repeated(path: string, id: string): UserError {
  return new UserError(
    `Cannot read ${path}: document id \`${id}\` occurs twice`,
    'Ids name documents in every later file: make them unique',
  );
}
