/** The embedder a recipe asks for, and validation/embeddings.json made with it. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Collected } from '../collect/collected.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Embedder, findEmbedder } from '../model/embedder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { embedTexts, kindTexts } from './embed-texts.ts';
import type { GenerationLine } from './generations.ts';

/**
 * The embedder of `validate.embeddings`; undefined where none is asked for, or, with a warning, where none is to be had:
 * a table without pictures is better than no table. A later `mga validate` tries again.
 */
export async function recipeEmbedder(
  { validate }: Recipe,
  { emit, signal }: RunContext,
  find: typeof findEmbedder,
): Promise<Embedder | undefined> {
  if (validate.embeddings === undefined) return undefined;
  try {
    return await find(validate.embeddings, { emit, signal });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    emit({ type: 'log', level: 'warn', message: `No embeddings. ${error.message}` });
    return undefined;
  }
}

/** Writes validation/embeddings.json, or removes an old one where there is nothing to embed with. */
export async function writeEmbeddings(
  lines: readonly GenerationLine[],
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  { emit, signal }: RunContext,
  embedder: Embedder | undefined,
): Promise<void> {
  const path = join(folder.validation, 'embeddings.json');
  const progress = { type: 'command-progress', command: 'validate', label: 'embeddings', unit: 'texts' } as const;
  const options = {
    seed: recipe.seed,
    resamples: recipe.validate.resamples,
    signal,
    onProgress: (done: number, total: number) => emit({ ...progress, done, total }),
  };
  const embeddings = embedder && (await embedTexts(kindTexts(lines, collected), embedder, options));
  if (embeddings) writeFileAtomic(path, `${JSON.stringify(embeddings)}\n`);
  else rmSync(path, { force: true });
}
