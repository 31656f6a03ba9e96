/** `mga validate --from SCORES.jsonl`: the tables for scores made anywhere. */

import { z } from 'zod';
import { readJsonLines } from '../corpus/json-lines.ts';
import { UserError } from '../foundation/errors.ts';
import type { JudgeReport } from '../judge/judge.ts';
import { readFurtherScores } from './further-scores.ts';
import { reliabilityOf } from './reliability.ts';
import type { ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable } from './table.ts';

const scoreRow = z.object({
  arm: z.string().min(1),
  doc_id: z.string().min(1),
  item: z.string().min(1),
  score: z.int().min(1).max(5).nullable(),
  model: z.string().min(1).optional(),
  stage: z.string().min(1).optional(),
  copied: z.boolean().optional(),
  complete: z.boolean().optional(),
  usable: z.boolean().optional(),
  seed: z.int().optional(),
  words: z.int().min(0).optional(),
});

export interface FromScoresOptions {
  /** Non-inferiority margin in points. */
  margin: number;
  resamples: number;
  seed: number;
  /** The arm differences are taken against; default `teacher`, else the first in the file. */
  reference?: string;
  /** Files of scores by a second judge, and by people. */
  second?: string;
  human?: string;
}

const JUDGE: JudgeReport = { kind: 'unknown', description: 'Scores were given as a file; who made them is not known.' };

/**
 * Reads one object a line ({arm, doc_id, item, score: 1..5 or null}; model, stage, copied, complete, usable if known; `seed` where several trainings make one row) and makes Table 1 of every stage in it.
 *
 * @throws UserError naming file and line of a row that does not fit, repeats an input of its arm, or for a reference arm that does not occur
 */
export async function tablesFromScores(path: string, options: FromScoresOptions): Promise<StageTable[]> {
  const stages = new Map<string, ScoredItem[]>();
  const seen = new Set<string>();
  let rows = 0;
  for await (const row of readJsonLines(path, scoreRow)) {
    rows++;
    const { model = row.arm, stage = 'reformulate', copied, complete, usable, seed, words, ...rest } = row;
    const key = [stage, row.arm, model, row.doc_id, row.item, seed ?? 0].join('\u0000');
    if (seen.has(key)) {
      throw new UserError(
        `Cannot read ${path}, row ${rows}: arm ${row.arm} has document ${row.doc_id}, item ${row.item} twice`,
        'One row an arm and input; trainings of one student differ in `seed`',
      );
    }
    seen.add(key);
    const flags = Object.entries({ copied, complete, usable, seed, words }).filter(([, value]) => value !== undefined);
    const items = stages.get(stage) ?? [];
    stages.set(stage, items);
    items.push({ ...rest, model, stage, ...Object.fromEntries(flags) });
  }
  if (rows === 0) throw new UserError(`Cannot make a table from ${path}: it holds no scores`);
  const arms = new Set([...stages.values()].flat().map((item) => item.arm));
  if (options.reference !== undefined && !arms.has(options.reference)) {
    throw new UserError(
      `Cannot compare with arm ${options.reference}: ${path} has the arms ${[...arms].join(', ')}`,
      'Name one of these',
    );
  }
  const second = options.second === undefined ? undefined : await readFurtherScores(options.second);
  const human = options.human === undefined ? undefined : await readFurtherScores(options.human);
  return [...stages].map(([stage, items]) => {
    const settings = { ...options, judge: JUDGE };
    const table = stageTable(stage, items, settings);
    return { ...table, reliability: reliabilityOf({ table, items, options: settings, second, human }) };
  });
}
