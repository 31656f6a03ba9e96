/** Scores of the same outputs by someone else: a second judge, or people. */

import { z } from 'zod';
import { readJsonLines } from '../corpus/json-lines.ts';
import { UserError } from '../foundation/errors.ts';
import type { ScoredItem } from './scored-item.ts';

const scoreRow = z.object({
  arm: z.string().min(1),
  item: z.string().min(1),
  score: z.int().min(1).max(5).nullable(),
  model: z.string().min(1).optional(),
  stage: z.string().min(1).optional(),
});

/** The other score of an item; null where it was looked at and got none, undefined where it was not looked at. */
export type FurtherScores = (item: ScoredItem) => number | null | undefined;

/**
 * Reads one object a line: {arm, item, score: 1..5 or null}, `model` and `stage` where an arm has several.
 *
 * @throws UserError naming file and line of a row that does not fit, or if the file is empty
 */
export async function readFurtherScores(path: string): Promise<FurtherScores> {
  const scores = new Map<string, number | null>();
  for await (const { arm, model, stage, item, score } of readJsonLines(path, scoreRow))
    scores.set(keyOf(stage, arm, model, item), score);
  if (scores.size === 0) throw new UserError(`Cannot compare with ${path}: it holds no scores`);
  return ({ arm, model, stage, item }) => {
    const keys = [keyOf(stage, arm, model, item), keyOf(stage, arm, undefined, item)];
    const withoutStage = [keyOf(undefined, arm, model, item), keyOf(undefined, arm, undefined, item)];
    const key = [...keys, ...withoutStage].find((one) => scores.has(one));
    return key === undefined ? undefined : scores.get(key);
  };
}

function keyOf(...parts: (string | undefined)[]): string {
  return parts.map((part) => part ?? '').join('\u0000');
}
