/** Whole data sets in the formats of other trainers: a file a stage and split, and the card that the hub shows. */

import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeFileAtomic } from '../../foundation/atomic-file.ts';
import { UserError } from '../../foundation/errors.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import { groupBy } from '../group-by.ts';
import { TRAINING_SPLITS, type TrainingSplit } from '../samples.ts';
import { readSft } from '../sft-arrow.ts';
import type { SftRow } from '../sft-row.ts';
import { dataCard } from './data-card.ts';
import { type ExportFormat, exportSft } from './export-sft.ts';

/** Rows of one stage and split. */
export interface SftSet {
  stage: string;
  split: TrainingSplit;
  rows: SftRow[];
}

/**
 * The sets that the latest round of a run made.
 *
 * @throws UserError where `mga curate` has not made any
 */
export function runSets(folder: RunFolder): SftSet[] {
  const made = numbersIn(join(folder.root, 'rounds')).filter((round) => existsSync(join(folder.round(round), 'sft')));
  const round = Math.max(0, ...made);
  const stages = join(folder.round(round), 'sft');
  if (!existsSync(stages)) {
    throw new UserError(`Cannot export data of ${folder.root}: it holds no SFT sets`, 'Run `mga curate` first');
  }
  return readdirSync(stages)
    .sort()
    .flatMap((stage) =>
      TRAINING_SPLITS.map((split) => ({ stage, split, rows: readSft(folder.sft(round, stage, split)) })),
    );
}

/** Rows without a split of their own, as training sets by stage. */
export function rowSets(rows: readonly SftRow[]): SftSet[] {
  return [...groupBy(rows, ({ stage }) => stage)].map(([stage, ofStage]) => ({ stage, split: 'train', rows: ofStage }));
}

/**
 * Writes every set that has rows to `folder` as `<stage>-<split>`, with README.md, and returns the files' paths, the card
 * first.
 *
 * @param source what the rows come from, in words, for the card
 */
export async function exportSets(
  sets: readonly SftSet[],
  format: ExportFormat,
  folder: string,
  source: string,
): Promise<string[]> {
  const full = sets.filter(({ rows }) => rows.length > 0);
  if (full.length === 0) throw new UserError('Cannot export data: there are no rows', 'Choose other stages');
  const written: (SftSet & { path: string })[] = [];
  for (const set of full) {
    written.push({ ...set, path: await exportSft(set.rows, format, folder, `${set.stage}-${set.split}`) });
  }
  const card = join(folder, 'README.md');
  const files = written.map(({ stage, split, rows, path }) => ({
    stage,
    split,
    rows: rows.length,
    file: relative(folder, path),
  }));
  writeFileAtomic(card, dataCard(files, format, source));
  const info = format === 'sharegpt' ? [join(folder, 'dataset_info.json')] : [];
  return [card, ...info, ...written.map(({ path }) => path)];
}

function numbersIn(folder: string): number[] {
  return existsSync(folder) ? readdirSync(folder).map(Number).filter(Number.isInteger) : [];
}
