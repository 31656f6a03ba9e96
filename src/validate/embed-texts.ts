/** Where the texts of all arms lie beside their sources: sentence embeddings, drawn on a plane and summed up by kind. */

import type { Collected } from '../collect/collected.ts';
import { randomStream } from '../foundation/random.ts';
import type { Embedder, EmbedOptions } from '../model/embedder.ts';
import { FEWEST_POINTS, type PlanePoint, project } from '../statistics/project.ts';
import type { GenerationLine } from './generations.ts';
import { type MeasureMean, measureMeans } from './measure-means.ts';

/** One text; kinds are `source`, the arms, and `strict` and `relaxed` where the run holds such texts. */
export interface KindText {
  kind: string;
  item: string;
  doc_id: string;
  text: string;
}

/** validation/embeddings.json */
export interface TextEmbeddings {
  model: string;
  /** Where the embedder came from. */
  source: string;
  /** Documents whose texts are in it, of those that have any. */
  documents: number;
  documents_in_all: number;
  kinds: { kind: string; texts: number; measures: Record<string, MeasureMean> }[];
  points: { kind: string; item: string; doc_id: string; tsne: PlanePoint; umap: PlanePoint }[];
}

/** More take minutes to embed and to draw, and hide each other in the picture. */
export const MAX_TEXTS = 700;

/** Texts of other prompt variants, as `collect.judgeTexts` names them. */
const VARIANTS: readonly string[] = ['strict', 'relaxed'];

/** The sources of `lines`, the answers of every arm, and the prompt variants' texts of the same documents; empty texts left out. */
export function kindTexts(
  lines: readonly GenerationLine[],
  { documents, judgeTexts }: Pick<Collected, 'documents' | 'judgeTexts'>,
): KindText[] {
  const ids = [...new Set(lines.map(({ doc_id }) => doc_id))];
  return [
    ...ids.map((id) => ({ kind: 'source', item: id, doc_id: id, text: documents.get(id)!.text })),
    ...lines.map(({ arm, item, doc_id, text }) => ({ kind: arm, item, doc_id, text })),
    ...judgeTexts
      .filter(({ kind, docId }) => VARIANTS.includes(kind) && ids.includes(docId))
      .map(({ kind, id, docId, text }) => ({ kind, item: id, doc_id: docId, text })),
  ].filter(({ text }) => text.trim() !== '');
}

/**
 * Embeds the texts (of a seeded draw of documents where there are more than MAX_TEXTS), projects them, and measures by kind
 *   similarity to source: cos(v, v of its source)
 *   spread: 1 - cos(v, centre of its kind)
 * with intervals over documents.
 *
 * @returns undefined where there are too few texts for a picture
 * @throws InterruptedError
 */
export async function embedTexts(
  texts: readonly KindText[],
  embedder: Embedder,
  { seed, resamples, ...options }: { seed: number; resamples: number } & EmbedOptions,
): Promise<TextEmbeddings | undefined> {
  const ids = [...new Set(texts.map(({ doc_id }) => doc_id))];
  const shown = drawDocuments(texts, ids, seed);
  if (shown.length < FEWEST_POINTS) return undefined;
  const vectors = await embedder.embed(
    shown.map(({ text }) => text),
    options,
  );
  const sources = new Map(shown.flatMap(({ kind, doc_id }, i) => (kind === 'source' ? [[doc_id, vectors[i]!]] : [])));
  const tsne = project(vectors, 'tsne', seed);
  const umap = project(vectors, 'umap', seed);
  const kinds = [...new Set(shown.map(({ kind }) => kind))].map((kind) => {
    const own = shown.flatMap((text, i) => (text.kind === kind ? [{ ...text, vector: vectors[i]! }] : []));
    const centre = meanDirection(own.map(({ vector }) => vector));
    const items = own.map(({ doc_id, vector }) => {
      const source = kind === 'source' ? undefined : sources.get(doc_id);
      const similarity = source ? { similarity_to_source: cosine(vector, source) } : {};
      return { doc_id, measures: { ...similarity, spread: 1 - cosine(vector, centre) } };
    });
    return { kind, texts: own.length, measures: measureMeans(items, { seed, resamples }) };
  });
  return {
    model: embedder.name,
    source: embedder.source,
    documents: new Set(shown.map(({ doc_id }) => doc_id)).size,
    documents_in_all: ids.length,
    kinds,
    points: shown.map(({ kind, item, doc_id }, i) => ({ kind, item, doc_id, tsne: tsne[i]!, umap: umap[i]! })),
  };
}

function drawDocuments(texts: readonly KindText[], ids: readonly string[], seed: number): KindText[] {
  if (texts.length <= MAX_TEXTS) return [...texts];
  const drawn = new Set<string>();
  let count = 0;
  for (const id of randomStream(seed, 'embedded-documents').shuffle(ids)) {
    count += texts.filter(({ doc_id }) => doc_id === id).length;
    if (count > MAX_TEXTS) break;
    drawn.add(id);
  }
  return texts.filter(({ doc_id }) => drawn.has(doc_id));
}

/** The mean of vectors, at length 1. */
function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const sum = Float32Array.from(vectors[0]!, (_, j) => vectors.reduce((total, vector) => total + vector[j]!, 0));
  const norm = Math.hypot(...sum) || 1;
  return sum.map((value) => value / norm);
}

/** Of vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
