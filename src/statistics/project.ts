/** High-dimensional points on a plane: t-SNE (van der Maaten and Hinton 2008) and UMAP (McInnes et al. 2018), by druidjs. */

// @ts-expect-error the package has no types
import * as untyped from '@saehrimnir/druidjs';

export type Projection = 'tsne' | 'umap';
export type PlanePoint = readonly [x: number, y: number];

/** What of druidjs is used. */
interface Reduction {
  transform(iterations: number): Iterable<Iterable<number>>;
}
type Reducer = new (points: readonly (readonly number[])[], parameters: Record<string, unknown>) => Reduction;
const { TSNE, UMAP } = untyped as { TSNE: Reducer; UMAP: Reducer };

/** Fewer have no neighbourhoods worth a picture. */
export const FEWEST_POINTS = 8;

/** The papers' customary sizes of a neighbourhood; smaller where there are few points. */
const PERPLEXITY = 30;
const NEIGHBOURS = 15;

const STEPS: Record<Projection, number> = { tsne: 500, umap: 350 };

/**
 * Equal points and seed give an equal picture. Distances between clouds mean little in either picture: read what lies
 * beside what.
 *
 * @param points at least FEWEST_POINTS, all of one length; both cost as the square of their number (500: some seconds)
 */
export function project(points: readonly ArrayLike<number>[], method: Projection, seed: number): PlanePoint[] {
  if (points.length < FEWEST_POINTS) throw new RangeError(`Cannot project ${points.length} points`);
  const rows = points.map((point) => Array.from(point));
  const reduction =
    method === 'tsne'
      ? new TSNE(rows, { perplexity: Math.min(PERPLEXITY, (rows.length - 1) / 3), epsilon: 10, seed })
      : new UMAP(rows, { n_neighbors: Math.min(NEIGHBOURS, rows.length - 1), min_dist: 0.1, seed });
  return [...reduction.transform(STEPS[method])].map((row) => [...row] as [number, number]);
}
