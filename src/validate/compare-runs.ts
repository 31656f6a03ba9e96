/** `mga report RUN RUN2`: the arms of two runs side by side, paired by input where both answered the same one. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { GenerationLine } from './generations.ts';
import { renderGrid, SCALE_HEADER, scaleCells } from './render.ts';
import type { ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable, type TableRow } from './table.ts';

/** One arm of a stage that both runs have, on the inputs both answered. */
export interface ComparedArm {
  stage: string;
  arm: string;
  /** Whether the rate is one of scores; else of valid answers, or of those equal to the teacher's. */
  scored: boolean;
  inputs: number;
  first: TableRow;
  /** Its differences are against the first run. */
  second: TableRow;
}

export interface RunComparison {
  arms: ComparedArm[];
  /** Stages whose judges differ between the runs: their scores do not compare. */
  otherJudges: string[];
  /** Why there are no arms, a sentence; absent where there are. */
  unpaired?: string;
}

/** Kinds of judge that give no scores. */
const UNSCORED: readonly string[] = ['validity', 'labels'];

/** Runs that are not validated, or share no input, have no arms in common, and a sentence that says why. */
export function compareRuns(
  first: RunFolder,
  second: RunFolder,
  options: { margin: number; resamples: number; seed: number },
): RunComparison {
  const without = [first, second].find((run) => !existsSync(scoresPath(run)) || !existsSync(run.table1));
  if (without) {
    return { arms: [], otherJudges: [], unpaired: `${without.root} has no scores: run mga validate on it first.` };
  }
  const runs = [first, second].map((run) => ({ items: scoresOf(run), judges: judgesOf(run), pairs: pairsOf(run) }));
  const [one, two] = runs as [(typeof runs)[0], (typeof runs)[0]];
  const keys = [...new Set(one.items.map((item) => `${item.stage}\u0000${item.arm}`))];
  const arms = keys.flatMap((key): ComparedArm[] => {
    const [stage, arm] = key.split('\u0000') as [string, string];
    const pick = (items: readonly ScoredItem[], name: string) =>
      items
        .filter((item) => item.stage === stage && item.arm === arm)
        .map((item) => ({ ...item, arm: name, model: name }));
    const both = [pick(one.items, 'first'), pick(two.items, 'second')] as const;
    const inputs = both.map((items) => new Set(items.map((item) => item.item))) as [Set<string>, Set<string>];
    // The same place of a document is not the same input where two teachers proposed other genres and audiences for it.
    const alike = ({ item }: ScoredItem) => {
      const [own, other] = [one, two].map(({ pairs }) => pairs.get(`${stage}\u0000${item}`));
      return inputs[0].has(item) && inputs[1].has(item) && (own === undefined || other === undefined || own === other);
    };
    const shared = both.flatMap((items) => items.filter(alike));
    if (shared.length === 0) return [];
    const scored = !UNSCORED.includes(one.judges.get(stage)?.kind ?? '');
    const judge = one.judges.get(stage) ?? { kind: 'unknown' as const, description: '' };
    const passes = scored ? {} : { passes: (item: ScoredItem) => item.usable === true };
    const settings = { ...options, ...passes, judge, reference: 'first', scored };
    const { rows } = stageTable(stage, shared, settings);
    return [{ stage, arm, scored, inputs: rows[0]!.total, first: rows[0]!, second: rows[1]! }];
  });
  const otherJudges = [...one.judges].filter(([stage, judge]) => {
    const other = two.judges.get(stage);
    return other !== undefined && (other.kind !== judge.kind || other.description !== judge.description);
  });
  const unpaired = `No arm of ${first.root} and ${second.root} answered an input in common: validate both on the same documents.`;
  return { arms, otherJudges: otherJudges.map(([stage]) => stage), ...(arms.length === 0 && { unpaired }) };
}

/** The comparison at 80 columns. */
export function renderComparison({ arms, otherJudges, unpaired }: RunComparison): string {
  if (unpaired) return `${unpaired}\n`;
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)}%`);
  const points = (share: number) => (100 * share).toFixed(1);
  const rows = arms.map(({ stage, arm, inputs, first, second }) => [
    `${stage} ${arm}`,
    String(inputs),
    percent(first.rate),
    percent(second.rate),
    second.diff_ci!.map(points).join('..'),
    percent(first.usable),
    percent(second.usable),
    second.usable_diff_ci?.map(points).join('..') ?? '',
  ]);
  const header = ['Second against first', 'inputs', 'Rate', 'Rate', 'Diff 95%', 'usable', 'usable', 'Diff 95%'];
  const warnings = otherJudges.map(
    (stage) => `Careful: the runs' judges of ${stage} differ; their scores do not compare.`,
  );
  const grids = [{ header, rows }, ...scaleGrids(arms)].map((grid) => renderGrid(grid, 'text'));
  return `${[grids.join('\n\n'), ...warnings].join('\n')}\n`;
}

/** Table 2 of both runs, on the inputs both answered; none where nothing is scored. */
function scaleGrids(arms: readonly ComparedArm[]) {
  const rows = arms
    .filter(({ first, second }) => first.table2 ?? second.table2)
    .flatMap(({ stage, arm, first, second }) => [
      [`${stage} ${arm}, first`, ...scaleCells(first)],
      [`${stage} ${arm}, second`, ...scaleCells(second)],
    ]);
  return rows.length > 0 ? [{ header: SCALE_HEADER, rows }] : [];
}

const scoresPath = (run: RunFolder) => join(run.validation, 'scores.jsonl');

function scoresOf(run: RunFolder): ScoredItem[] {
  const lines = readFileSync(scoresPath(run), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ScoredItem);
}

function judgesOf(run: RunFolder): Map<string, StageTable['judge']> {
  const tables = JSON.parse(readFileSync(run.table1, 'utf8')) as StageTable[];
  return new Map(tables.map((table) => [table.stage, table.judge]));
}

/** Genre and audience of each input, as one text. */
function pairsOf(run: RunFolder): Map<string, string> {
  const path = join(run.validation, 'generations.jsonl');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const parsed = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as GenerationLine);
  return new Map(
    parsed.map(({ stage, item, genre, audience }) => [`${stage}\u0000${item}`, `${genre}\u0000${audience}`]),
  );
}
