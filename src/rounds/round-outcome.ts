/** What a round came to: the facts of its manifest, and rounds.json over all of them. Names as in the files. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRoundDocuments } from '../corpus/round-documents.ts';
import type { StageFunnel } from '../curate/funnel.ts';
import { isComplete, readManifest, writeManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { StageName } from '../stage/stage.ts';
import type { Interval } from '../statistics/wilson.ts';
import type { StopReason } from './next-round.ts';
import type { Rejudged } from './shrinkage.ts';

/** Dev outputs of one stage: shares of them that are usable, and that scored 3 or better where there are scores. */
export interface DevStage {
  stage: StageName;
  outputs: number;
  student: number;
  teacher: number;
  student_rate: number | null;
  teacher_rate: number | null;
}

export interface RoundOutcome {
  round: number;
  /** Training documents that it added, those of them that students had failed, and all so far. */
  documents: { added: number; failed: number; so_far: number };
  /** Of the documents that it added. */
  added: Record<StageName, StageFunnel>;
  /** Of all documents so far: what its students learned from. */
  stages: Record<StageName, StageFunnel>;
  dev: {
    documents: number;
    judge: 'local' | 'teacher';
    stages: DevStage[];
    /** Usable outputs of the students, of all stages together. */
    usable: number;
    teacher: number;
  };
  /** `dev.usable` minus that of the round before, and its interval over documents; null for the first round. */
  gain: number | null;
  gain_ci: Interval | null;
  rejudged: Rejudged[];
  /** US dollars of the run so far. */
  usd: number;
}

/** The whole of rounds.json. */
export interface RoundsSummary {
  /** Rounds the recipe allows. */
  count: number;
  rounds: RoundOutcome[];
  /** The round whose students are those of the run; null before the end. */
  chosen: number | null;
  /** Why there was no further round; null while there may be. */
  stopped: StopReason | null;
  warnings: string[];
  /** All of the above in words. */
  sentences: string[];
}

const outcomeHome = (folder: RunFolder, round: number) => join(folder.round(round), 'outcome');

/** The outcome of a round that is over for this recipe; undefined where it has to be gone through (again). */
export function readOutcome(recipe: Recipe, folder: RunFolder, round: number): RoundOutcome | undefined {
  const home = outcomeHome(folder, round);
  return isComplete(home, outcomeInputs(recipe)) ? (readManifest(home)!.facts as unknown as RoundOutcome) : undefined;
}

/** Closes a round: from here on none of its parts is looked at again, unless the recipe changes what they were made from. */
export function writeOutcome(recipe: Recipe, folder: RunFolder, outcome: RoundOutcome, seconds: number): void {
  writeManifest(outcomeHome(folder, outcome.round), {
    kind: 'round',
    inputs: outcomeInputs(recipe),
    facts: { ...outcome },
    seconds,
  });
}

/** What of the recipe a round's outcome depends on. How many rounds there may be and what follows them is no part of it. */
function outcomeInputs({
  corpus,
  teacher,
  collect,
  judge,
  stages,
  curate,
  seed,
  students,
  train,
  generate,
  quantize,
  reformulate,
  ...rest
}: Recipe) {
  const { failed, devDocuments, judge: steering, rejudge, rejudgeBy } = rest.rounds;
  return {
    ...{ reformulate, corpus, teacher, judge, stages, curate, seed, students, train, generate, quantize },
    collect: { stages: collect.stages, judgeTexts: collect.judgeTexts },
    rounds: { failed, devDocuments, judge: steering, rejudge, rejudgeBy },
    validate: { pairsPerDocument: rest.validate.pairsPerDocument, resamples: rest.validate.resamples },
  };
}

/** Keeps what is known of all rounds. */
export function writeSummary(folder: RunFolder, summary: RoundsSummary): void {
  writeFileAtomic(folder.rounds, `${JSON.stringify(summary, null, 1)}\n`);
}

/** What is known of all rounds, or undefined where none is over. */
export function readSummary(folder: RunFolder): RoundsSummary | undefined {
  return existsSync(folder.rounds) ? (JSON.parse(readFileSync(folder.rounds, 'utf8')) as RoundsSummary) : undefined;
}

/** The round that was begun last. */
export function latestRound(folder: RunFolder): number {
  let round = 1;
  while (readRoundDocuments(folder, round + 1) !== undefined) round++;
  return round;
}

/** The round whose students are those of the run; before the rounds are over, the first. */
export function takenRound(folder: RunFolder): number {
  return readSummary(folder)?.chosen ?? 1;
}
