/** A row of any known corpus as a document: plain rows, FineWeb's, MGACorpus', or by fields the recipe names. */

import { UserError } from '../foundation/errors.ts';
import { sha256 } from '../foundation/hash.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { SourceDocument } from '../stage/stage.ts';

export type CorpusFields = NonNullable<Recipe['corpus']['fields']>;

/** Where a document's parts are looked for, first find first. Dots go into nested fields. MGACorpus keeps the source of its rows in `meta.raw_text`. */
const PLACES = {
  text: ['text', 'content', 'raw_content', 'meta.raw_text', 'content_split'],
  id: ['id', 'doc_id', 'docid'],
  title: ['title'],
  domain: ['domain'],
  language: ['language', 'lang'],
} as const;

export interface SourceRow extends SourceDocument {
  /** As the row says, for the language filter. */
  language?: string;
  /** The id was made from the text. */
  idFromText: boolean;
}

/**
 * The document of a row. Without an id it gets one from its text, which is the same wherever the row stands.
 *
 * @param where file and line, for messages
 * @throws UserError where there is no text, or a field has another type
 */
export function sourceRow(value: unknown, where: string, fields: CorpusFields = {}): SourceRow {
  const fail = (found: string): never => {
    throw new UserError(`Cannot read ${where}: ${found}`, 'Mend the row, or name its fields in `corpus.fields`');
  };
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return fail('the row is no object');
  const find = (part: keyof typeof PLACES): string | undefined => {
    const named = fields[part];
    for (const place of named === undefined ? PLACES[part] : [named]) {
      const found = at(value, place);
      if (found === undefined || found === null) continue;
      if (typeof found === 'string') return found;
      if (part === 'id' && typeof found === 'number') return String(found);
      fail(`field \`${place}\`: expected text, found ${typeof found}`);
    }
    return undefined;
  };
  const text = find('text');
  if (text === undefined) return fail(`field \`${fields.text ?? 'text'}\`: there is none`);
  if (text.trim() === '') return fail(`field \`${fields.text ?? 'text'}\`: the text is empty`);
  const id = find('id') || mgaId(value) || undefined;
  const [title, domain, language] = [find('title'), find('domain'), find('language')];
  return {
    id: id ?? sha256(text).slice(0, ID_LENGTH),
    idFromText: id === undefined,
    text,
    ...(title === undefined ? {} : { title }),
    ...(domain === undefined ? {} : { domain }),
    ...(language === undefined ? {} : { language }),
  };
}

/** Hex digits of an id made from a text: 64 bits keep a billion texts apart. */
const ID_LENGTH = 16;

/** A row of MGACorpus stands for one chunk of a document. */
function mgaId(value: object): string | undefined {
  const [document, chunk] = [at(value, 'meta.docid'), at(value, 'meta.chunk_id')];
  if (document === undefined || document === null) return undefined;
  return chunk === undefined || chunk === null ? String(document) : `${document}#${chunk}`;
}

function at(value: object, place: string): unknown {
  let found: unknown = (value as Record<string, unknown>)[place];
  if (found === undefined && place.includes('.')) {
    found = value;
    for (const key of place.split('.')) {
      if (found === null || typeof found !== 'object') return undefined;
      found = (found as Record<string, unknown>)[key];
    }
  }
  return found;
}
