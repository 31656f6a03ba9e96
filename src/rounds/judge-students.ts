/** Has students of a round answer for dev or training documents, and the answers scored: the work of `validate`, elsewhere. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Collected } from '../collect/collected.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { judgeStage } from '../stage/judge.ts';
import type { GenreAudience, SourceDocument } from '../stage/stage.ts';
import type { ScoredItem } from '../validate/scored-item.ts';
import { type ValidateParts, validateOn } from '../validate/validate.ts';

/** Who scores what students write during the rounds: the LLM that filters training texts, or the local judge. */
export function steeringJudge({ rounds, judge, teacher }: Recipe): 'local' | 'teacher' {
  return rounds.judge ?? ((judge.teacher ?? teacher).kind === 'recorded' ? 'local' : 'teacher');
}

/** The documents to answer for, and what the students are to know of them. */
export interface Examined {
  ids: readonly string[];
  /** Those of them that the collected answers do not hold. */
  documents?: ReadonlyMap<string, SourceDocument>;
  /** Pairs to reformulate them by, where the teacher has given none. */
  pairs?: ReadonlyMap<string, GenreAudience[]>;
}

/**
 * Answers of the students in `students` to documents, scored; kept in `home` and made once.
 *
 * @param collected what the local judge is fitted on. All rounds give that of the first one: the judge then is the same for all.
 * @param home folder of answers, scores and table
 * @throws what `validateStudents` throws
 */
export async function judgeStudents(
  recipe: Recipe,
  students: RunFolder,
  collected: Collected,
  examined: Examined,
  home: string,
  context: RunContext,
  parts: ValidateParts,
): Promise<ScoredItem[]> {
  if (examined.ids.length === 0) {
    throw new UserError('Cannot judge students between rounds: there are no documents for it', 'Raise splits.dev');
  }
  const folder = { ...students, validation: home, table1: join(home, 'table1.json') };
  await validateOn(examining(collected, examined), recipe, folder, context, parts);
  return readScores(home);
}

/** The scores that `judgeStudents` left in `home`. */
export function readScores(home: string): ScoredItem[] {
  return readFileSync(join(home, 'scores.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ScoredItem);
}

/** The recipe with a table of the teacher (where it has answered) and the students alone, by the judge of the rounds. */
export function steeringRecipe(recipe: Recipe, arms: { teacher: boolean; pairs: number }): Recipe {
  const { validate, rounds } = recipe;
  const { embeddings: _e, secondScores: _s, humanScores: _h, documents: _d, ...kept } = validate;
  // A student that learns to judge gets better by the round, and rounds are to be compared by one judge.
  const students = recipe.students
    .map((student) => ({ ...student, stages: student.stages.filter((stage) => stage !== judgeStage.name) }))
    .filter(({ stages }) => stages.length > 0);
  const isInt8 = students.every((student) => studentTrain(recipe, student).precision === 'w8a8');
  return {
    ...recipe,
    students,
    validate: {
      ...kept,
      ...(arms.teacher && rounds.devDocuments !== undefined ? { documents: rounds.devDocuments } : {}),
      pairsPerDocument: arms.pairs,
      arms: [...(arms.teacher ? (['teacher'] as const) : []), isInt8 ? 'student-w8a8-beside' : 'student'],
      judge: { kind: steeringJudge(recipe), second: undefined },
    } as Recipe['validate'],
  };
}

/** The answers as if the examined documents were those of validation, and without anything of the real ones. */
function examining(collected: Collected, { ids, documents, pairs }: Examined): Collected {
  const hidden = new Set(collected.splits.validation);
  const seen = <V extends { docId: string }>([, { docId }]: [string, V]) => !hidden.has(docId);
  const texts = new Map([...collected.texts].filter(seen));
  const judgeTexts = collected.judgeTexts.filter(({ docId }) => !hidden.has(docId));
  const judged = new Set([...texts.keys(), ...judgeTexts.map(({ id }) => id)]);
  const ofJudged = <V>(scores: ReadonlyMap<string, V>) => new Map([...scores].filter(([id]) => judged.has(id)));
  const { train } = collected.splits;
  return {
    ...collected,
    documents: new Map([...[...collected.documents].filter(([id]) => !hidden.has(id)), ...(documents ?? [])]),
    pairs: new Map([...collected.pairs, ...(pairs ?? [])]),
    splits: { train, dev: [], validation: [...ids] },
    texts,
    judgeTexts,
    judgements: ofJudged(collected.judgements),
    secondJudgements: ofJudged(collected.secondJudgements),
    ratings: [],
  };
}
