/** Where everything of a run lies: one folder, the paths of docs/architecture.md. */

import { join } from 'node:path';

export interface RunFolder {
  readonly root: string;
  /** The round that stages work on: 1, unless `roundFolder` or `settledFolder` says otherwise. */
  readonly currentRound: number;
  /** What the rounds of the run came to, where it has several. */
  readonly rounds: string;
  readonly recipe: string;
  /** Folder of append-only ledger files. */
  readonly ledger: string;
  readonly store: string;
  readonly splits: string;
  readonly status: string;
  readonly validation: string;
  readonly table1: string;
  readonly report: string;
  /** Arrow data set (`datasets.load_from_disk`) of a round, stage and split. */
  sft(round: number, stage: string, split: 'train' | 'dev'): string;
  /** The curate artifact of a round (holds the sft folders and the manifest). */
  round(round: number): string;
  student(name: string): string;
  exported(name: string): string;
}

/** The paths of the run at `root`. */
export function runFolder(root: string): RunFolder {
  return {
    root,
    currentRound: 1,
    rounds: join(root, 'rounds', 'rounds.json'),
    recipe: join(root, 'recipe.yaml'),
    ledger: join(root, 'ledger'),
    store: join(root, 'store.duckdb'),
    splits: join(root, 'splits.json'),
    status: join(root, 'status.json'),
    validation: join(root, 'validation'),
    table1: join(root, 'validation', 'table1.json'),
    report: join(root, 'report.html'),
    round: (round) => join(root, 'rounds', String(round)),
    sft: (round, stage, split) => join(root, 'rounds', String(round), 'sft', stage, split),
    student: (name) => join(root, 'students', name),
    exported: (name) => join(root, 'export', name),
  };
}

/** The run as it is in the midst of a round: that round's sets, and students of its own. */
export function roundFolder(folder: RunFolder, round: number): RunFolder {
  return {
    ...folder,
    currentRound: round,
    student: (name) => join(folder.round(round), 'students', name),
  };
}

/** The run once its rounds are over: the sets of the round whose students were taken. */
export function settledFolder(folder: RunFolder, round: number): RunFolder {
  return { ...folder, currentRound: round };
}
