/** validation/embeddings.json -> Embeddings. */

import { join } from 'node:path';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { isObject, type JsonObject, type Note, numberAt, readJson, textAt } from '../read-artifact.ts';
import type { EmbeddedPoint, Embeddings, Interval } from '../run-data.ts';

/** The pictures' points and what was measured by kind; undefined where the run has none. */
export function collectEmbeddings(folder: RunFolder, note: Note): Embeddings | undefined {
  const value = readJson(join(folder.validation, 'embeddings.json'), note);
  if (!isObject(value)) return undefined;
  const points = objects(value.points).flatMap((point): EmbeddedPoint[] => {
    const [kind, tsne, umap] = [textAt(point, 'kind'), pair(point.tsne), pair(point.umap)];
    return kind && tsne && umap ? [{ kind, tsne, umap }] : [];
  });
  if (points.length === 0) return undefined;
  return {
    model: textAt(value, 'model') ?? 'an unknown model',
    documents: numberAt(value, 'documents') ?? 0,
    documentsInAll: numberAt(value, 'documents_in_all') ?? 0,
    kinds: objects(value.kinds).map((kind) => {
      const measures = isObject(kind.measures) ? kind.measures : {};
      return {
        kind: textAt(kind, 'kind') ?? 'unknown',
        texts: numberAt(kind, 'texts') ?? 0,
        similarity: mean(measures.similarity_to_source),
        spread: mean(measures.spread),
      };
    }),
    points,
  };
}

function mean(value: unknown): { mean: number; interval: Interval | undefined } | undefined {
  const found = isObject(value) ? numberAt(value, 'mean') : undefined;
  return found === undefined ? undefined : { mean: found, interval: pair((value as JsonObject).ci) };
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function pair(value: unknown): Interval | undefined {
  const [first, second] = Array.isArray(value) ? (value as unknown[]) : [];
  return Number.isFinite(first) && Number.isFinite(second) ? [first as number, second as number] : undefined;
}
