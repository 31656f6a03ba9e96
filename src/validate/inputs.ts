/** What every arm answers: the same inputs of the validation documents, in one order. */

import type { Collected } from '../collect/collected.ts';
import type { Recipe } from '../recipe/schema.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { ChatMessage, SourceDocument, StageName } from '../stage/stage.ts';

export interface ValidationInput {
  readonly stage: StageName;
  readonly docId: string;
  readonly item: string;
  readonly document: SourceDocument;
  /** The short instruction students are trained on. */
  readonly prompt: ChatMessage[];
}

/** Validation documents of the run, the first `validate.documents` in corpus order. */
export function validationDocuments(recipe: Recipe, { documents, splits }: Collected): SourceDocument[] {
  const chosen = new Set(splits.validation);
  return [...documents.values()].filter(({ id }) => chosen.has(id)).slice(0, recipe.validate.documents);
}

/** Inputs of one stage: a document for `pairs`, a document with each of the teacher's first pairs for `reformulate`. */
export function validationInputs(stage: StageName, recipe: Recipe, collected: Collected): ValidationInput[] {
  return validationDocuments(recipe, collected).flatMap((document): ValidationInput[] => {
    const docId = document.id;
    if (stage === 'pairs')
      return [{ stage, docId, item: docId, document, prompt: pairsStage.studentPrompt({ document }) }];
    const pairs = (collected.pairs.get(docId) ?? []).slice(0, recipe.validate.pairsPerDocument);
    return pairs.map((pair, i) => ({
      stage,
      docId,
      item: `${docId}/${i + 1}`,
      document,
      prompt: reformulateStage.studentPrompt({ document, pair }),
    }));
  });
}
