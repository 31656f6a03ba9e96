/** The command `curate` with the sentence embedder that `curate.balance` asks for: curate itself stands left of models. */

import { curate } from '../curate/curate.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Embedder } from '../model/embedder.ts';
import type { Recipe } from '../recipe/schema.ts';

/** As `curate`. @throws UserError also where the embedder is nowhere to be had */
export async function curateSamples(recipe: Recipe, folder: RunFolder, context: RunContext): Promise<void> {
  let found: Promise<Embedder> | undefined;
  await curate(recipe, folder, context, {
    async embed(name, texts, { emit, signal }) {
      const { findEmbedder } = await import('../model/embedder.ts');
      found ??= findEmbedder(name, { emit, signal });
      const embedder = await found;
      const progress = { type: 'command-progress', command: 'curate', label: 'embeddings', unit: 'texts' } as const;
      return embedder.embed(texts, { signal, onProgress: (done, total) => emit({ ...progress, done, total }) });
    },
  });
}
