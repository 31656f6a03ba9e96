/** Which training documents each round labels: drawn once, kept in the run folder, and never drawn again. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readManifest, writeManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';

const roundDocuments = z.strictObject({
  /** All documents of the round. */
  documents: z.array(z.string()),
  /** Those of them that are there because students failed on them. */
  failed: z.array(z.string()),
});

/** The documents a round adds, by id, in the order they were drawn. */
export type RoundDocuments = z.output<typeof roundDocuments>;

/** How many documents a round adds to those before it, before there are none left. */
export function roundSize(train: number, { rounds }: Pick<Recipe, 'rounds'>): number {
  return rounds.documents ?? Math.ceil(train / rounds.count);
}

/**
 * The documents of a round: up to `failedShare` of them that students failed, the others drawn blindly from what is left.
 *
 * @param left training documents of no earlier round
 * @param failed those of them that students failed, in the order they were tried
 * @param count documents wanted; fewer where no more are left
 */
export function drawRound(
  left: readonly string[],
  { failed, failedShare, count, seed }: { failed: readonly string[]; failedShare: number; count: number; seed: number },
): RoundDocuments {
  const handedBack = failed.slice(0, Math.round(failedShare * count));
  const taken = new Set(handedBack);
  const blind = inDrawnOrder(left, seed).filter((id) => !taken.has(id));
  return { documents: [...handedBack, ...blind.slice(0, count - handedBack.length)], failed: handedBack };
}

/** The order in which documents are drawn blindly: the same for any part of them. */
export function inDrawnOrder(ids: readonly string[], seed: number): string[] {
  const place = (id: string) => randomStream(seed, 'rounds', id).uniform();
  return ids
    .map((id) => ({ id, at: place(id) }))
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

/** The documents of a round, or undefined where it has not begun. */
export function readRoundDocuments(folder: RunFolder, round: number): RoundDocuments | undefined {
  const home = join(folder.round(round), 'documents');
  const path = join(home, DOCUMENTS_FILE);
  if (readManifest(home) === undefined || !existsSync(path)) return undefined;
  try {
    return roundDocuments.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new UserError(
      `Cannot read the documents of round ${round} from ${path}: ${errorMessage(error)}`,
      'It must be {"documents": [ids], "failed": [ids]}; delete its folder to have them drawn again',
    );
  }
}

const DOCUMENTS_FILE = 'documents.json';

/** Keeps the documents of a round. */
export function writeRoundDocuments(
  folder: RunFolder,
  round: number,
  drawn: RoundDocuments,
  inputs: Record<string, unknown>,
): void {
  const home = join(folder.round(round), 'documents');
  writeFileAtomic(join(home, DOCUMENTS_FILE), `${JSON.stringify(drawn, null, 1)}\n`);
  const facts = { documents: drawn.documents.length, failed: drawn.failed.length };
  writeManifest(home, { kind: 'round documents', inputs, facts });
}

/**
 * Training documents of the rounds up to `folder.currentRound`. Those of rounds that have not begun are the ones that would be
 * drawn blindly, so that a plan knows how many there will be.
 *
 * @param train the training split
 */
export function documentsSoFar(train: readonly string[], recipe: Recipe, folder: RunFolder): string[] {
  const taken = new Set<string>();
  const count = roundSize(train.length, recipe);
  for (let round = 1; round <= folder.currentRound; round++) {
    const left = train.filter((id) => !taken.has(id));
    const blind = { failed: [], failedShare: 0, count, seed: recipe.seed };
    const { documents } = readRoundDocuments(folder, round) ?? drawRound(left, blind);
    for (const id of documents) taken.add(id);
  }
  return [...taken];
}
