/** Train, dev and validation by document, fixed once a run: nothing later may move a document. */

import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { Recipe } from '../recipe/schema.ts';
import { documentOf } from './chunks.ts';

const splitsFile = z.strictObject({
  train: z.array(z.string()),
  dev: z.array(z.string()),
  validation: z.array(z.string()),
});

/** Document ids of each split. A document is in one split at most; those in none are not used. */
export type Splits = z.output<typeof splitsFile>;

export type SplitName = keyof Splits;

export const SPLIT_NAMES: readonly SplitName[] = ['train', 'dev', 'validation'];

/**
 * The splits of a run: those it already has, else the recipe's file (ids beyond `corpus.limit` left out), else drawn by the
 * recipe's shares and seed. What is new is written to `path`.
 *
 * @param ids the corpus, in order
 * @throws UserError where a document is in two splits, is unknown, or no document is left to train on
 */
export function ensureSplits(path: string, recipe: Recipe, ids: readonly string[]): Splits {
  if (existsSync(path)) return checked(readSplits(path), path, ids, 'refuse');
  const { file } = recipe.splits;
  const splits =
    file === undefined
      ? drawSplits(ids, recipe.splits, recipe.seed)
      : checked(ofChunks(readSplits(file), ids), file, ids, isWholeCorpus(recipe.corpus) ? 'refuse' : 'leave-out');
  if (splits.train.length === 0) {
    throw new UserError('Cannot split the corpus: no document is left for training', 'Use more documents');
  }
  writeFileAtomic(path, JSON.stringify(splits, null, 1) + '\n');
  return splits;
}

/** Reads a splits file. */
export function readSplits(path: string): Splits {
  try {
    return splitsFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new UserError(
      `Cannot read splits from ${path}: ${errorMessage(error)}`,
      'It must be {"train": [ids], "dev": [ids], "validation": [ids]}',
    );
  }
}

/**
 * Seeded split: shares are rounded to whole documents, each split keeps the corpus order. Chunks of one document stay
 * together.
 */
export function drawSplits(ids: readonly string[], shares: { dev: number; validation: number }, seed: number): Splits {
  const documents = [...new Set(ids.map(documentOf))];
  const shuffled = randomStream(seed, 'splits').shuffle(documents);
  const validationCount = Math.round(documents.length * shares.validation);
  const devCount = Math.round(documents.length * shares.dev);
  const validation = new Set(shuffled.slice(0, validationCount));
  const dev = new Set(shuffled.slice(validationCount, validationCount + devCount));
  return {
    train: ids.filter((id) => !validation.has(documentOf(id)) && !dev.has(documentOf(id))),
    dev: ids.filter((id) => dev.has(documentOf(id))),
    validation: ids.filter((id) => validation.has(documentOf(id))),
  };
}

/** Whether every document of the files is in the corpus, so that an id which is not there is a mistake. */
function isWholeCorpus({ limit, sample, languages, minWords, maxWords }: Recipe['corpus']): boolean {
  return [limit, sample, languages, minWords, maxWords].every((setting) => setting === undefined);
}

/** A split that names a document means all its chunks. */
function ofChunks(splits: Splits, ids: readonly string[]): Splits {
  const parts = new Map<string, string[]>();
  for (const id of ids) parts.set(documentOf(id), [...(parts.get(documentOf(id)) ?? []), id]);
  const known = new Set(ids);
  const expand = (names: readonly string[]) => names.flatMap((id) => (known.has(id) ? id : (parts.get(id) ?? id)));
  return { train: expand(splits.train), dev: expand(splits.dev), validation: expand(splits.validation) };
}

function checked(splits: Splits, path: string, ids: readonly string[], unknown: 'refuse' | 'leave-out'): Splits {
  const known = new Set(ids);
  const seen = new Map<string, SplitName>();
  const kept = (name: SplitName) =>
    splits[name].filter((id) => {
      const other = seen.get(id);
      if (other !== undefined) {
        throw new UserError(
          `Cannot use ${path}: document \`${id}\` is in ${other} and again in ${name}`,
          'A document belongs to one split only',
        );
      }
      seen.set(id, name);
      if (!known.has(id) && unknown === 'refuse') {
        throw new UserError(
          `Cannot use ${path}: document \`${id}\` of ${name} is not in the corpus`,
          'The splits belong to another corpus: check `splits.file` and `corpus.path`, or use a new run folder',
        );
      }
      return known.has(id);
    });
  return { train: kept('train'), dev: kept('dev'), validation: kept('validation') };
}
