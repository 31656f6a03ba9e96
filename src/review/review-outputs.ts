/** What can be rated in a run: the texts of all arms with the scores of their judge, or the teacher's texts as they were collected. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readCollected } from '../collect/collected.ts';
import { readDocuments } from '../corpus/documents.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { AnyStage, SourceDocument } from '../stage/stage.ts';
import { collectedOutputs } from '../validate/collected-outputs.ts';
import { type GenerationLine, outputKey } from '../validate/generations.ts';
import { ratingKey } from '../validate/ratings.ts';
import type { ScoredItem } from '../validate/scored-item.ts';

/** A text that a person can rate. */
export interface ReviewOutput {
  /** Its identity in the ledger. */
  key: string;
  arm: string;
  model: string;
  stage: string;
  docId: string;
  item: string;
  genre: string;
  audience: string;
  text: string;
  /** The judge's score; null where it gave none. */
  judged: number | null;
}

/** `outputs`: of all arms of the table. `collected`: the teacher's texts, judged by the judge that chose the training texts. */
export type ReviewFrame = 'outputs' | 'collected';

export interface ReviewMaterial {
  outputs: ReviewOutput[];
  documents: ReadonlyMap<string, SourceDocument>;
}

/**
 * All texts of the stage in the frame. Outputs that are no text (empty, a refusal) are left out: everybody knows what to think of them.
 *
 * @throws UserError where the run has none
 */
export async function reviewOutputs(
  recipe: Recipe,
  folder: RunFolder,
  frame: ReviewFrame,
  stage: AnyStage,
): Promise<ReviewMaterial> {
  const read = frame === 'outputs' ? tableOutputs : teacherTexts;
  const material = await read(recipe, folder, stage);
  if (material.outputs.length > 0) return material;
  const [what, hint] = WANTING[frame];
  throw new UserError(`Cannot review stage ${stage.name} of ${folder.root}: ${what}`, hint);
}

const WANTING: Readonly<Record<ReviewFrame, readonly [what: string, hint: string]>> = {
  outputs: [
    'no text in it has been scored',
    'Run `mga validate` first; what the teacher wrote can be rated before that: --of collected',
  ],
  collected: ['it holds no judged text of the teacher', 'Run `mga collect` with the stage and its judge first'],
};

async function tableOutputs(recipe: Recipe, folder: RunFolder, stage: AnyStage): Promise<ReviewMaterial> {
  const [answered, scored] = ['generations.jsonl', 'scores.jsonl'].map((name) => join(folder.validation, name)) as [
    string,
    string,
  ];
  if (!existsSync(answered) || !existsSync(scored)) return { outputs: [], documents: new Map() };
  // `mga validate` opens its answers anew, and writes the scores last: older ones may be of other texts.
  if (statSync(scored).mtimeMs < statSync(answered).mtimeMs) {
    throw new UserError(
      `Cannot review ${folder.root}: its validation has begun anew and is not finished`,
      'Let `mga validate` end first',
    );
  }
  const own = rows<ScoredItem>(scored).filter((item) => item.stage === stage.name);
  // Where validation asked no judge about a stage of the recipe's own, nothing could be made of ratings.
  const scores = new Map(own.some(({ score }) => score !== null) ? own.map((item) => [outputKey(item), item]) : []);
  const documents = await readDocuments(recipe.corpus, recipe.seed);
  const outputs = rows<GenerationLine>(answered).flatMap((line): ReviewOutput[] => {
    const item = scores.get(outputKey(line));
    return item === undefined || !documents.has(line.doc_id) ? [] : outputOf(line, item.score, stage);
  });
  return { outputs, documents };
}

async function teacherTexts(recipe: Recipe, folder: RunFolder, stage: AnyStage): Promise<ReviewMaterial> {
  const collected = await readCollected(recipe, folder);
  const { outputs, items } = collectedOutputs(stage.name, collected);
  return {
    outputs: outputs.flatMap((output, i) => outputOf(output, items[i]!.score, stage)),
    documents: collected.documents,
  };
}

/** The text as its judge is shown it. */
function outputOf(
  line: Pick<GenerationLine, 'arm' | 'model' | 'stage' | 'doc_id' | 'item' | 'genre' | 'audience' | 'text'>,
  judged: number | null,
  stage: AnyStage,
): ReviewOutput[] {
  const parsed = stage.parse(line.text);
  if (!parsed.ok) return [];
  const { arm, model, doc_id: docId, item, genre = '', audience = '' } = line;
  const text = stage.completion(parsed.value);
  return [{ key: ratingKey(line), arm, model, stage: stage.name, docId, item, genre, audience, text, judged }];
}

function rows<T>(path: string): T[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}
