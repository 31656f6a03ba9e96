/** `mga report RUN RUN2`: both runs paired by input, on the terminal and as a page. */

import { basename, join, resolve } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { collectRun } from '../report/collect/collect-run.ts';
import { comparePage } from '../report/compare/compare-page.ts';
import type { Both, ComparisonData, PairedArm } from '../report/compare/comparison-data.ts';
import { type ComparedArm, compareRuns, type RunComparison } from '../validate/compare-runs.ts';

/** The bootstrap of tables from scores made elsewhere; no verdict is asked of a comparison, so that its margin does not matter. */
const COMPARISON = { margin: 3, resamples: 2000, seed: 0 };

export interface ComparedRun {
  recipe: Recipe;
  folder: RunFolder;
}

/**
 * Writes the page of both runs. What either has not made yet is said in it.
 *
 * @param out the page; default `compare-<first>.html` in the folder of the second
 * @throws UserError where both are the same run
 * @throws InterruptedError where `signal` is aborted before the page is written
 */
export async function writeComparison(
  first: ComparedRun,
  second: ComparedRun,
  out: string | undefined,
  signal: AbortSignal,
): Promise<{ comparison: RunComparison; path: string }> {
  const roots = [first, second].map(({ folder }) => resolve(folder.root)) as [string, string];
  if (roots[0] === roots[1]) {
    throw new UserError(`Cannot compare ${first.folder.root} with itself`, 'Name two runs');
  }
  const comparison = compareRuns(first.folder, second.folder, COMPARISON);
  const names = namesOf(roots);
  const page = comparePage({
    runs: [
      await collectRun(first.recipe, first.folder, signal),
      await collectRun(second.recipe, second.folder, signal),
    ],
    names,
    paired: comparison.arms.map(pairedArm),
    unpaired: comparison.unpaired,
    otherJudges: comparison.otherJudges,
    settings: differences(first.recipe, second.recipe),
  });
  if (signal.aborted) throw new InterruptedError();
  const path = out ?? join(second.folder.root, `compare-${basename(roots[0])}.html`);
  writeFileAtomic(path, page);
  return { comparison, path };
}

/** The folders' own names where these differ, else with as many folders above as it takes. */
function namesOf(roots: readonly [string, string]): Both<string> {
  const parts = roots.map((root) => root.split('/'));
  for (let length = 1; ; length++) {
    const [a, b] = parts.map((folders) => folders.slice(-length).join('/')) as [string, string];
    if (a !== b) return [a, b];
  }
}

function pairedArm({ stage, arm, scored, inputs, first, second }: ComparedArm): PairedArm {
  const usable = first.usable !== undefined && second.usable !== undefined;
  return {
    stage,
    arm,
    scored,
    inputs,
    documents: first.documents,
    rate: [first.rate, second.rate],
    diff: second.diff!,
    diffInterval: second.diff_ci!,
    pValue: second.p_value!,
    usable: usable ? [first.usable!, second.usable!] : undefined,
    usableDiff: second.usable_diff,
    usableDiffInterval: second.usable_diff_ci,
  };
}

/** Keys as on the command line (`train.epochs`), with values as JSON. */
function differences(first: Recipe, second: Recipe): ComparisonData['settings'] {
  const flat = [first, second].map((recipe) => new Map(leaves(recipe))) as [Map<string, string>, Map<string, string>];
  const keys = [...new Set(flat.flatMap((map) => [...map.keys()]))];
  return keys
    .map((key) => ({ key, values: [flat[0].get(key), flat[1].get(key)] as const }))
    .filter(({ key, values }) => key !== 'description' && values[0] !== values[1]);
}

function leaves(value: unknown, path = ''): [string, string][] {
  if (value === undefined) return [];
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) {
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}
