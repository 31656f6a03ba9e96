/** Iterative filtering and training: label, filter, train, judge on dev, and again with what the students lack. */

import { join } from 'node:path';
import { BudgetError } from '../collect/budget.ts';
import { type Collected, readCollected } from '../collect/collected.ts';
import { readRoundDocuments, roundSize } from '../corpus/round-documents.ts';
import { readSplits } from '../corpus/splits.ts';
import type { CurateFacts } from '../curate/curate.ts';
import { readManifest } from '../foundation/artifact.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type RunFolder, roundFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { indexLedger } from '../store/ledger-index.ts';
import type { ValidateParts } from '../validate/validate.ts';
import { chooseDocuments } from './choose-documents.ts';
import { devGain, devOutcome } from './dev-outcome.ts';
import { judgeStudents, readScores, steeringJudge, steeringRecipe } from './judge-students.ts';
import { affordableDocuments, bestRound, nextRound, type StopReason } from './next-round.ts';
import { rejudge } from './rejudge.ts';
import { ofRound } from './round-events.ts';
import { type RoundOutcome, readOutcome, writeOutcome, writeSummary } from './round-outcome.ts';
import { roundSentences, stopSentence } from './round-sentences.ts';
import { settleStudents } from './settle-students.ts';
import { warningsOf } from './warnings.ts';

type StageCommand = (recipe: Recipe, folder: RunFolder, context: RunContext) => Promise<unknown>;

/** The commands that every round goes through. */
export interface RoundCommands {
  collect: StageCommand;
  curate: StageCommand;
  train: StageCommand;
}

/**
 * Goes through the rounds of a recipe and makes the best round's students those of the run. A round that is over is not touched
 * again; one that was stopped goes on where it was.
 *
 * @param parts what tests put in place of generation
 * @throws InterruptedError when `context.signal` is aborted
 * @throws UserError like the commands; of the budget only where it ends in the first round
 */
export async function runRounds(
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  commands: RoundCommands,
  parts: ValidateParts = {},
): Promise<void> {
  const done: RoundOutcome[] = [];
  const keep = (chosen: number | null, stopped: StopReason | null) => {
    const warnings = warningsOf(recipe);
    const sentences = [
      ...done.flatMap(roundSentences),
      ...(chosen !== null && stopped !== null ? [stopSentence(recipe, done, chosen, stopped)] : []),
      ...warnings.map((warning) => `Careful: ${warning}`),
    ];
    writeSummary(folder, { count: recipe.rounds.count, rounds: done, chosen, stopped, warnings, sentences });
  };
  let stopped: StopReason | undefined;
  let documents: number | undefined;
  while (stopped === undefined) {
    if (context.signal.aborted) throw new InterruptedError();
    try {
      done.push(await throughRound(recipe, folder, done, documents, context, commands, parts));
    } catch (error) {
      if (!(error instanceof BudgetError) || done.length === 0) throw error;
      context.emit({ type: 'log', level: 'warn', message: error.message });
      stopped = 'budget';
      break;
    }
    const next = nextRound(done, recipe.rounds, await supplies(recipe, folder, done));
    if ('stop' in next) stopped = next.stop;
    else documents = next.documents;
    keep(null, null);
  }
  const chosen = bestRound(done);
  settleStudents(recipe, folder, chosen);
  keep(chosen, stopped);
  context.emit({ type: 'log', level: 'info', message: stopSentence(recipe, done, chosen, stopped) });
  for (const message of warningsOf(recipe)) context.emit({ type: 'log', level: 'warn', message });
}

async function throughRound(
  recipe: Recipe,
  folder: RunFolder,
  done: readonly RoundOutcome[],
  documents: number | undefined,
  context: RunContext,
  commands: RoundCommands,
  parts: ValidateParts,
): Promise<RoundOutcome> {
  const round = done.length + 1;
  const known = readOutcome(recipe, folder, round);
  if (known !== undefined) {
    const reason = `round ${round} is over`;
    for (const command of ['collect', 'curate', 'train'] as const)
      context.emit({ type: 'command-skip', command, reason });
    return known;
  }
  const started = performance.now();
  const { count } = recipe.rounds;
  const at = roundFolder(folder, round);
  const inRound = ofRound(round, context);
  context.emit({ type: 'round-start', round, count });
  const drawn = await chooseDocuments(recipe, folder, round, documents, inRound, parts);
  await commands.collect(recipe, at, inRound);
  await commands.curate(recipe, at, inRound);
  await commands.train(recipe, at, inRound);
  const collected = await readCollected(recipe, at);
  const rejudged = await rejudge(recipe, at, collected, inRound);
  const judged = await judgeDev(recipe, folder, round, inRound, parts);
  const facts = readManifest(at.round(round))!.facts as unknown as CurateFacts;
  const outcome: RoundOutcome = {
    round,
    documents: {
      added: drawn.documents.length,
      failed: drawn.failed.length,
      so_far: collected.splits.train.length,
    },
    added: facts.added ?? {},
    stages: facts.stages,
    ...judged,
    rejudged,
    usd: await spent(folder),
  };
  writeOutcome(recipe, folder, outcome, (performance.now() - started) / 1000);
  for (const message of roundSentences(outcome)) context.emit({ type: 'log', level: 'info', message });
  return outcome;
}

/** Students and teacher on dev documents, and what the students gained over those of the round before. */
async function judgeDev(
  recipe: Recipe,
  folder: RunFolder,
  round: number,
  context: RunContext,
  parts: ValidateParts,
): Promise<Pick<RoundOutcome, 'dev' | 'gain' | 'gain_ci'>> {
  const first: Collected = await readCollected(recipe, roundFolder(folder, 1));
  const steering = steeringRecipe(recipe, { teacher: true, pairs: recipe.validate.pairsPerDocument });
  const home = (of: number) => join(folder.round(of), 'dev');
  const examined = { ids: first.splits.dev };
  const items = await judgeStudents(steering, roundFolder(folder, round), first, examined, home(round), context, parts);
  const options = { seed: recipe.seed, resamples: recipe.validate.resamples };
  const gain = round === 1 ? null : devGain(items, readScores(home(round - 1)), options);
  return {
    dev: { ...devOutcome(items), judge: steeringJudge(recipe) },
    gain: gain?.gain ?? null,
    gain_ci: gain?.gain_ci ?? null,
  };
}

async function supplies(recipe: Recipe, folder: RunFolder, done: readonly RoundOutcome[]) {
  const { train, dev, validation } = readSplits(folder.splits);
  const soFar = done.at(-1)!.documents.so_far;
  const asked = soFar + dev.length + validation.length;
  // What a begun round costs is paid in part already; whether the rest can be is found out on the way.
  const isBegun = readRoundDocuments(folder, done.length + 1) !== undefined;
  return {
    left: train.length - soFar,
    size: roundSize(train.length, recipe),
    affordable: isBegun ? Number.POSITIVE_INFINITY : affordableDocuments(recipe.budget.usd, await spent(folder), asked),
  };
}

/** US dollars of the run, with the most that unanswered requests can have cost. */
async function spent({ ledger }: RunFolder): Promise<number> {
  const { spend, lost, open } = await indexLedger(ledger);
  const possibly = [...lost, ...open.values()].reduce((sum, { usdAtMost }) => sum + (usdAtMost ?? 0), 0);
  return spend.reduce((sum, { usd }) => sum + usd, 0) + possibly;
}
