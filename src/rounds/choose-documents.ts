/** The documents a round labels: drawn blindly, or because the students of the round before fail on them. */

import { join } from 'node:path';
import { readCollected } from '../collect/collected.ts';
import { readDocuments } from '../corpus/documents.ts';
import {
  documentsSoFar,
  drawRound,
  inDrawnOrder,
  type RoundDocuments,
  readRoundDocuments,
  roundSize,
  writeRoundDocuments,
} from '../corpus/round-documents.ts';
import { ensureSplits } from '../corpus/splits.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type RunFolder, roundFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { GenreAudience } from '../stage/stage.ts';
import type { ValidateParts } from '../validate/validate.ts';
import { failedDocuments } from './dev-outcome.ts';
import { judgeStudents, steeringRecipe } from './judge-students.ts';

/** Documents tried for each one wanted: of a student that fails on half of them, enough. */
const TRIED_PER_WANTED = 2;

/**
 * The documents of a round: those it began with, else new ones, which from then on are those of the round. Where the
 * recipe wants failures, the students of the round before are tried on documents the teacher has not seen, and those they fail
 * are handed to it first. Without students of the round before there are none.
 *
 * @param wanted how many; default: as many as the recipe says
 */
export async function chooseDocuments(
  recipe: Recipe,
  folder: RunFolder,
  round: number,
  wanted: number | undefined,
  context: RunContext,
  parts: ValidateParts,
): Promise<RoundDocuments> {
  const known = readRoundDocuments(folder, round);
  if (known !== undefined) return known;
  const corpus = await readDocuments(recipe.corpus, recipe.seed, context);
  const { train } = ensureSplits(folder.splits, recipe, [...corpus.keys()]);
  const taken = new Set(round === 1 ? [] : documentsSoFar(train, recipe, roundFolder(folder, round - 1)));
  const left = train.filter((id) => !taken.has(id));
  const { seed } = recipe;
  const count = wanted ?? roundSize(train.length, recipe);
  const failedShare = round === 1 ? 0 : recipe.rounds.failed;
  const tried = inDrawnOrder(left, seed).slice(0, TRIED_PER_WANTED * Math.round(failedShare * count));
  const failed = tried.length === 0 ? [] : await tryStudents(recipe, folder, round, tried, corpus, context, parts);
  const drawn = drawRound(left, { failed, failedShare, count, seed });
  writeRoundDocuments(folder, round, drawn, { seed, count, failedShare, tried, failed });
  return drawn;
}

/** Documents on which the students of the round before fail, worst first. Reformulations are tried with a pair of another document. */
async function tryStudents(
  recipe: Recipe,
  folder: RunFolder,
  round: number,
  tried: readonly string[],
  corpus: Awaited<ReturnType<typeof readDocuments>>,
  context: RunContext,
  parts: ValidateParts,
): Promise<string[]> {
  const collected = await readCollected(recipe, roundFolder(folder, 1));
  const givers = collected.splits.train.filter((id) => collected.pairs.has(id));
  const pairs = new Map(
    tried.flatMap((id): [string, GenreAudience[]][] => {
      if (givers.length === 0) return [];
      const giver = givers[randomStream(recipe.seed, 'trial-pairs', id).integer(givers.length)]!;
      return [[id, collected.pairs.get(giver)!]];
    }),
  );
  const documents = new Map(tried.map((id) => [id, corpus.get(id)!]));
  const items = await judgeStudents(
    steeringRecipe(recipe, { teacher: false, pairs: 1 }),
    roundFolder(folder, round - 1),
    collected,
    { ids: tried, documents, pairs },
    join(folder.round(round), 'trial'),
    context,
    parts,
  );
  return failedDocuments(items, tried);
}
