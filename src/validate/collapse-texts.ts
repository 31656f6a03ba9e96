/** The files of a collapse analysis: texts in, collapse.json and the losses out. */

import { join } from 'node:path';
import { readDocuments } from '../corpus/documents.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { recipeSchema } from '../recipe/schema.ts';
import type { CollapseReport, CollapseText, PairedLosses } from './collapse.ts';

/** At most `limit` texts of a corpus, drawn by seed. @throws UserError for one that cannot be read or is empty */
export async function collapseTexts(path: string, limit: number, seed: number): Promise<CollapseText[]> {
  const documents = await readDocuments(recipeSchema.shape.corpus.parse({ path, sample: limit }), seed);
  return [...documents.values()].map(({ id, text }) => ({ id, text })).slice(0, limit);
}

/** Four decimals of a nat: what differs by less says nothing. */
const rounded = (losses: readonly number[]) => losses.map((loss) => Math.round(loss * 1e4) / 1e4);

/** Writes collapse.json, and beside it the losses of every token, one text a line. */
export function writeCollapse(folder: string, report: CollapseReport, losses: readonly PairedLosses[]): void {
  const lines = losses.map(({ id, real, synthetic }) => {
    return `${JSON.stringify({ id, real: rounded(real), synthetic: rounded(synthetic) })}\n`;
  });
  writeFileAtomic(join(folder, 'collapse-losses.jsonl'), ...lines);
  writeFileAtomic(join(folder, 'collapse.json'), `${JSON.stringify(report, null, 2)}\n`);
}
