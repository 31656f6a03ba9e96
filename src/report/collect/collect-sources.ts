/** The source documents of the samples. */

import { readDocuments } from '../../corpus/documents.ts';
import { errorMessage, UserError } from '../../foundation/errors.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Note } from '../read-artifact.ts';
import type { Sample, SourceText } from '../run-data.ts';

/** The documents of the samples, in the samples' order. Documents the corpus does not hold (any more) are counted in a note. */
export async function collectSources(recipe: Recipe, samples: readonly Sample[], note: Note): Promise<SourceText[]> {
  const wanted = [...new Set(samples.map((sample) => sample.docId))];
  if (wanted.length === 0) return [];
  try {
    const documents = await readDocuments(recipe.corpus, recipe.seed);
    const found = wanted.flatMap((id) => documents.get(id) ?? []);
    const absent = wanted.length - found.length;
    if (absent > 0) note(`${absent} of ${wanted.length} source documents are not in the corpus.`);
    return found.map(({ id, title, text }) => ({ id, title: title ?? id, text }));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    note(`Samples are shown without their source: ${errorMessage(error)}.`);
    return [];
  }
}
