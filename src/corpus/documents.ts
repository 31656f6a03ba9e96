/** The documents of a recipe's corpus. */

import { z } from 'zod';
import { UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { SourceDocument } from '../stage/stage.ts';
import { readJsonLines } from './json-lines.ts';

const documentRow = z.object({
  id: z.string().min(1),
  text: z.string().refine((text) => text.trim() !== '', 'the text is empty'),
  title: z.string().optional(),
  domain: z.string().optional(),
});

/**
 * Documents by id, in the order of the file, at most `corpus.limit`. Fields besides id, text, title and domain are ignored.
 *
 * @throws UserError naming file and line of an unreadable row or of a repeated id
 */
export async function readDocuments(corpus: Recipe['corpus']): Promise<Map<string, SourceDocument>> {
  const documents = new Map<string, SourceDocument>();
  for await (const row of readJsonLines(corpus.path, documentRow)) {
    if (documents.has(row.id)) {
      throw new UserError(
        `Cannot read ${corpus.path}: document id \`${row.id}\` occurs twice`,
        'Ids name documents in every later file: make them unique',
      );
    }
    const { id, text, title, domain } = row;
    documents.set(id, {
      id,
      text,
      ...(title === undefined ? {} : { title }),
      ...(domain === undefined ? {} : { domain }),
    });
    if (documents.size === corpus.limit) break;
  }
  if (documents.size === 0) throw new UserError(`Cannot use ${corpus.path}: it holds no documents`);
  return documents;
}
