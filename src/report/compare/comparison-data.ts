/** What the page of two runs knows: both reports, and the differences on inputs that both answered. */

import type { Interval, ReportData } from '../run-data.ts';

/** The first run's and the second's. */
export type Both<T> = readonly [first: T, second: T];

/** One arm of a stage that both runs have, on the inputs both answered. Shares 0..1; differences are second minus first. */
export interface PairedArm {
  stage: string;
  arm: string;
  inputs: number;
  documents: number;
  /** Whether the rate is one of scores; else of valid or equal answers. */
  scored: boolean;
  rate: Both<number>;
  diff: number;
  diffInterval: Interval;
  pValue: number;
  usable: Both<number> | undefined;
  usableDiff: number | undefined;
  usableDiffInterval: Interval | undefined;
}

export interface ComparisonData {
  runs: Both<ReportData>;
  /** What the runs are called in the page; never the same. */
  names: Both<string>;
  paired: PairedArm[];
  /** Why nothing is paired, a sentence; undefined where something is. */
  unpaired: string | undefined;
  /** Stages whose judges differ: scores of these do not compare. */
  otherJudges: string[];
  /** Keys of the recipes with different values; undefined where one has no such key. */
  settings: { key: string; values: Both<string | undefined> }[];
}
