/**
 * Clusters by k-means: Lloyd's iterations (1982) from k-means++ starts (Arthur and Vassilvitskii 2007). Our own, since druidjs'
 * KMeans writes its centres into the points it is given and has no answer to a cluster that runs empty.
 */

import type { RandomStream } from '../foundation/random.ts';

export interface Clusters {
  /** Of each point, in the order given: its cluster, from 0. */
  labels: number[];
  /** Means of the clusters. Fewer than asked for where there are fewer distinct points. */
  centres: Float64Array[];
  /** Sum over points of the squared distance to the centre. */
  inertia: number;
}

export interface KMeansOptions {
  random: RandomStream;
  /** Starts, of which the one with the least inertia counts. Default: 4. */
  restarts?: number;
}

type Point = ArrayLike<number>;

/** Lloyd's iterations settle long before; the limit guards against points that change sides by rounding. */
const MOST_ITERATIONS = 100;

/**
 * The same points in the same order and an equal stream give equal clusters. Costs points x k x length an iteration.
 *
 * @param points at least one, all of one length
 * @param k clusters wanted, 1 or more
 */
export function kMeans(points: readonly Point[], k: number, { random, restarts = 4 }: KMeansOptions): Clusters {
  if (points.length === 0 || k < 1) throw new RangeError(`Cannot make ${k} clusters of ${points.length} points`);
  let best: Clusters | undefined;
  for (let start = 0; start < restarts; start++) {
    const found = lloyd(points, plusPlus(points, k, random));
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** Each further centre is a point drawn with probability proportional to its squared distance to the nearest centre so far. */
function plusPlus(points: readonly Point[], k: number, random: RandomStream): Float64Array[] {
  const centres = [Float64Array.from(points[random.integer(points.length)]!)];
  const nearest = points.map((point) => squaredDistance(point, centres[0]!));
  while (centres.length < k) {
    const total = nearest.reduce((sum, distance) => sum + distance, 0);
    // Every point is a centre already.
    if (total === 0) break;
    let left = random.uniform() * total;
    let chosen = nearest.findIndex((distance) => {
      left -= distance;
      return left < 0;
    });
    if (chosen < 0) chosen = nearest.findLastIndex((distance) => distance > 0);
    const centre = Float64Array.from(points[chosen]!);
    centres.push(centre);
    for (const [i, point] of points.entries()) nearest[i] = Math.min(nearest[i]!, squaredDistance(point, centre));
  }
  return centres;
}

function lloyd(points: readonly Point[], centres: Float64Array[]): Clusters {
  const labels = new Array<number>(points.length).fill(-1);
  const distances = new Float64Array(points.length);
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    if (!assign(points, centres, labels, distances)) break;
    moveToMeans(points, centres, labels, distances);
  }
  assign(points, centres, labels, distances);
  return { labels, centres, inertia: distances.reduce((sum, distance) => sum + distance, 0) };
}

/** Gives each point to its nearest centre, of equal ones the first; tells whether any changed. */
function assign(points: readonly Point[], centres: readonly Float64Array[], labels: number[], distances: Float64Array) {
  let changed = false;
  for (const [i, point] of points.entries()) {
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const [cluster, centre] of centres.entries()) {
      const distance = squaredDistance(point, centre);
      if (distance < least) [nearest, least] = [cluster, distance];
    }
    if (labels[i] !== nearest) changed = true;
    labels[i] = nearest;
    distances[i] = least;
  }
  return changed;
}

/** Moves centres to the means of their points; one without points to the point that lies farthest from its own centre. */
function moveToMeans(
  points: readonly Point[],
  centres: readonly Float64Array[],
  labels: readonly number[],
  distances: Float64Array,
): void {
  const counts = centres.map(() => 0);
  for (const centre of centres) centre.fill(0);
  for (const [i, point] of points.entries()) {
    const centre = centres[labels[i]!]!;
    counts[labels[i]!]!++;
    for (let d = 0; d < centre.length; d++) centre[d]! += point[d]!;
  }
  for (const [cluster, centre] of centres.entries()) {
    if (counts[cluster]! > 0) {
      for (let d = 0; d < centre.length; d++) centre[d]! /= counts[cluster]!;
      continue;
    }
    const farthest = distances.reduce((far, distance, i) => (distance > distances[far]! ? i : far), 0);
    centre.set(points[farthest]!);
    distances[farthest] = 0;
  }
}

function squaredDistance(a: Point, b: Point): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d]! - b[d]!) ** 2;
  return sum;
}
