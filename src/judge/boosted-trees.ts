/** Gradient-boosted regression trees, small and seeded: a score from features that act together. */

import type { RandomStream } from '../foundation/random.ts';

/** A complete binary tree: node i has the children 2i + 1 and 2i + 2; values below or at the threshold go left. */
export interface Tree {
  /** Feature index of each inner node; -1 sends everything left. */
  features: number[];
  thresholds: number[];
  leaves: number[];
}

export interface BoostedTrees {
  start: number;
  trees: Tree[];
}

const DEPTH = 3;
const INNER = 2 ** DEPTH - 1;
/** Found by cross-validation over the recorded documents; the result is flat around these values. */
const TREES = 200;
const SHRINKAGE = 0.05;
const ROW_SHARE = 0.5;
const FEATURE_SHARE = 0.3;
const FEWEST_ROWS = 8;
/** Candidate thresholds a feature: quantiles of its values. */
const BINS = 32;

export interface BoostingRows {
  /** [row][feature] */
  features: readonly (readonly number[])[];
  targets: readonly number[];
  weights: readonly number[];
}

/**
 * Least-squares gradient boosting (Friedman 2001) with row and feature sampling (Friedman 2002): each tree is fitted to what the sum of
 * its predecessors leaves, F <- F + shrinkage tree(y - F).
 */
export function fitBoostedTrees(rows: BoostingRows, random: RandomStream): BoostedTrees {
  const { features, targets, weights } = rows;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const start = targets.reduce((sum, target, i) => sum + weights[i]! * target, 0) / total;
  const predicted = targets.map(() => start);
  const thresholds = (features[0] ?? []).map((_, feature) => quantiles(features.map((row) => row[feature]!)));
  const bins = features.map((row) => row.map((value, feature) => binOf(value, thresholds[feature]!)));
  const trees = Array.from({ length: TREES }, () => {
    const residuals = targets.map((target, i) => target - predicted[i]!);
    const tree = fitTree({ bins, thresholds, residuals, weights }, random);
    for (const [i, row] of features.entries()) predicted[i]! += predictTree(tree, row);
    return tree;
  });
  return { start, trees };
}

export function predictBoosted(model: BoostedTrees, features: readonly number[]): number {
  return model.trees.reduce((sum, tree) => sum + predictTree(tree, features), model.start);
}

function predictTree(tree: Tree, features: readonly number[]): number {
  let node = 0;
  while (node < INNER) {
    const feature = tree.features[node]!;
    node = 2 * node + (feature >= 0 && features[feature]! > tree.thresholds[node]! ? 2 : 1);
  }
  return tree.leaves[node - INNER]!;
}

interface TreeData {
  bins: number[][];
  thresholds: number[][];
  residuals: number[];
  weights: readonly number[];
}

function fitTree(data: TreeData, random: RandomStream): Tree {
  const tree: Tree = {
    features: new Array<number>(INNER).fill(-1),
    thresholds: new Array<number>(INNER).fill(0),
    leaves: [],
  };
  const drawn = data.residuals.map((_, i) => i).filter(() => random.uniform() < ROW_SHARE);
  const atNode: number[][] = [drawn];
  for (let node = 0; node < INNER; node++) {
    const rows = atNode[node]!;
    const split = bestSplit(data, rows, random);
    if (split !== undefined) {
      tree.features[node] = split.feature;
      tree.thresholds[node] = data.thresholds[split.feature]![split.bin]!;
    }
    const goesRight = (row: number) => split !== undefined && data.bins[row]![split.feature]! > split.bin;
    atNode[2 * node + 1] = rows.filter((row) => !goesRight(row));
    atNode[2 * node + 2] = rows.filter(goesRight);
  }
  tree.leaves = atNode.slice(INNER).map((rows) => {
    const sums = sumsOf(data, rows);
    // One unit of weight more in the denominator keeps leaves of few rows near 0.
    return (SHRINKAGE * sums.residual) / (sums.weight + 1);
  });
  return tree;
}

/** The split that lowers the squared error most: largest S_left^2 / W_left + S_right^2 / W_right, S and W sums of weighted residuals and weights. */
function bestSplit(data: TreeData, rows: readonly number[], random: RandomStream) {
  const all = sumsOf(data, rows);
  let best: { feature: number; bin: number } | undefined;
  let bestGain = all.weight > 0 ? all.residual ** 2 / all.weight + 1e-9 : Number.POSITIVE_INFINITY;
  const residual = new Float64Array(BINS);
  const weight = new Float64Array(BINS);
  const count = new Float64Array(BINS);
  for (const feature of drawFeatures(data.thresholds.length, random)) {
    for (const sums of [residual, weight, count]) sums.fill(0);
    for (const row of rows) {
      const bin = data.bins[row]![feature]!;
      residual[bin]! += data.weights[row]! * data.residuals[row]!;
      weight[bin]! += data.weights[row]!;
      count[bin]! += 1;
    }
    const left = { residual: 0, weight: 0, count: 0 };
    for (let bin = 0; bin < data.thresholds[feature]!.length; bin++) {
      left.residual += residual[bin]!;
      left.weight += weight[bin]!;
      left.count += count[bin]!;
      if (left.count < FEWEST_ROWS || rows.length - left.count < FEWEST_ROWS) continue;
      const gain = left.residual ** 2 / left.weight + (all.residual - left.residual) ** 2 / (all.weight - left.weight);
      if (gain > bestGain) {
        bestGain = gain;
        best = { feature, bin };
      }
    }
  }
  return best;
}

function drawFeatures(count: number, random: RandomStream): number[] {
  const indices = random.shuffle(Array.from({ length: count }, (_, i) => i));
  return indices.slice(0, Math.max(1, Math.round(FEATURE_SHARE * count)));
}

function sumsOf({ residuals, weights }: TreeData, rows: readonly number[]) {
  let residual = 0;
  let weight = 0;
  for (const row of rows) {
    residual += weights[row]! * residuals[row]!;
    weight += weights[row]!;
  }
  return { residual, weight };
}

/** Distinct quantiles below the largest value, so that every threshold divides. */
function quantiles(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const cuts = Array.from({ length: BINS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)]!);
  return [...new Set(cuts)].filter((cut) => cut < sorted.at(-1)!);
}

/** Index of the first threshold the value does not exceed. */
function binOf(value: number, thresholds: readonly number[]): number {
  let bin = 0;
  while (bin < thresholds.length && value > thresholds[bin]!) bin++;
  return bin;
}
