/** Training rows of the recipe's lengths before any were collected: real documents, and answers as long as answers usually are. */

import type { SftRow } from '../curate/sft-row.ts';
import type { Recipe, StudentSettings } from '../recipe/schema.ts';
import { judgeStage } from '../stage/judge.ts';
import { PAIRS_PER_DOCUMENT, pairsStage } from '../stage/pairs.ts';
import { learntStages } from '../stage/recipe-stages.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { AnyStage, SourceDocument, StageName } from '../stage/stage.ts';
import { CHARACTERS_PER_TOKEN, TYPICAL_PAIR } from '../stage/stand-in.ts';

/** Tokens that answers to a stage had on average; undefined where there are none yet. */
export type MeanTokens = (stage: AnyStage) => number | undefined;

/** Tokens of the recorded teacher's answers at the median; of a judgement's analysis and score. */
const USUAL_TOKENS: Record<StageName, number> = {
  [pairsStage.name]: 380,
  [reformulateStage.name]: 240,
  [judgeStage.name]: 60,
};

/** Rows that a document gives a student, if curate drops none. */
export function standInRows(
  recipe: Recipe,
  student: StudentSettings,
  document: SourceDocument,
  meanTokens: MeanTokens,
): SftRow[] {
  return learntStages(recipe)
    .filter(({ name }) => student.stages.includes(name))
    .flatMap((stage) => {
      const text = repeated(document.text, CHARACTERS_PER_TOKEN * (meanTokens(stage) ?? usualTokens(stage)));
      const row: Omit<SftRow, 'id'> = {
        doc_id: document.id,
        stage: stage.name,
        prompt: stage.studentPrompt({ document, text: document.text, pair: TYPICAL_PAIR }),
        completion: [{ role: 'assistant', content: text }],
      };
      return Array.from({ length: rowsOf(stage, recipe) }, (_, i) => ({
        ...row,
        id: `${document.id}/${stage.name}/${i}`,
      }));
    });
}

function rowsOf({ name, unit }: AnyStage, { curate }: Recipe): number {
  if (name === judgeStage.name) return curate.judge.teacherTexts + curate.judge.negatives;
  return unit === 'document' ? 1 : PAIRS_PER_DOCUMENT;
}

/** Of a stage that nothing is known of, what it may have. */
function usualTokens({ name, maxTokens }: AnyStage): number {
  return USUAL_TOKENS[name] ?? maxTokens;
}

function repeated(text: string, characters: number): string {
  return `${text} `.repeat(Math.ceil(characters / (text.length + 1))).slice(0, characters);
}
