/** How far the five pairs of a response lie apart in meaning: different words for the same audience do not count as spread. */

import type { Embedder, EmbedOptions } from '../model/embedder.ts';
import { pairsStage } from '../stage/pairs.ts';
import { cosine } from './embed-texts.ts';
import type { GenerationLine } from './generations.ts';
import type { ScoredItem } from './scored-item.ts';

/**
 * The scored responses with the measure `embedding_spread`: 1 - mean cosine over all pairs of the five (genre, audience)
 * texts. Responses that are not valid have none.
 *
 * @param lines the responses in the order of `items`
 * @throws InterruptedError
 */
export async function withPairsSpread(
  items: readonly ScoredItem[],
  lines: readonly GenerationLine[],
  embedder: Embedder,
  options: EmbedOptions,
): Promise<ScoredItem[]> {
  const texts = lines.map(({ text }) => {
    const parsed = pairsStage.parse(text);
    return parsed.ok ? parsed.value.map(({ genre, audience }) => `${genre}\n${audience}`) : [];
  });
  const vectors = await embedder.embed(texts.flat(), options);
  let start = 0;
  return items.map((item, i) => {
    const own = vectors.slice(start, start + texts[i]!.length);
    start += own.length;
    if (own.length < 2) return item;
    return { ...item, measures: { ...item.measures, embedding_spread: 1 - meanCosine(own) } };
  });
}

function meanCosine(vectors: readonly Float32Array[]): number {
  const cosines = vectors.flatMap((first, i) => vectors.slice(i + 1).map((second) => cosine(first, second)));
  return cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
}
