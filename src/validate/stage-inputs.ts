/** What every arm is given: the same inputs, of validation documents only. */

import type { Collected } from '../collect/collected.ts';
import { complete } from '../curate/measures/complete.ts';
import { UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { Recipe } from '../recipe/schema.ts';
import { BUILT_IN_STAGES } from '../recipe/stage-definition.ts';
import { PAIRS_PER_DOCUMENT, pairsStage } from '../stage/pairs.ts';
import type { AnyStage, ChatMessage, GenreAudience, SourceDocument } from '../stage/stage.ts';

export interface StageInput {
  item: string;
  document: SourceDocument;
  pair?: GenreAudience;
  /** What students are asked. */
  prompt: ChatMessage[];
  /** The same, as the teacher is asked it. */
  teacherPrompt: ChatMessage[];
  /** What the teacher answered; undefined where it failed. */
  teacher: { text: string; complete: boolean } | undefined;
}

/**
 * The inputs of a stage: all validation documents, or `validate.documents` of them drawn by the recipe's seed; for `reformulate` as many of a document's pairs as
 * `validate.pairsPerDocument` says, drawn likewise. Documents without pairs have no inputs to reformulate.
 *
 * @throws UserError where there are no validation documents
 */
export function stageInputs(stage: AnyStage, recipe: Recipe, collected: Collected): StageInput[] {
  const documents = validationDocuments(recipe, collected);
  if (!BUILT_IN_STAGES.includes(stage.name)) {
    // Without the teacher's answer there is nothing to hold the others against.
    return documents.flatMap((document) => {
      const answer = collected.answers.get(stage.name)?.get(document.id);
      if (answer === undefined) return [];
      const { text, finishReason } = answer;
      return {
        item: document.id,
        document,
        ...promptsOf(stage, document),
        teacher: { text, complete: !stage.prose || complete(text, finishReason !== 'length') },
      };
    });
  }
  if (stage.unit === 'document') {
    return documents.map((document) => {
      const pairs = collected.pairs.get(document.id);
      const teacher = pairs && { text: pairsStage.completion(pairs), complete: true };
      return { item: document.id, document, ...promptsOf(stage, document), teacher };
    });
  }
  return documents.flatMap((document) => {
    const pairs = collected.pairs.get(document.id) ?? [];
    return drawnPairs(recipe, document.id).flatMap((index) => {
      const pair = pairs[index];
      if (pair === undefined) return [];
      const item = `${document.id}/${index + 1}`;
      const own = collected.texts.get(item);
      const teacher = own && { text: own.text, complete: complete(own.text, own.finishReason !== 'length') };
      return [{ item, document, pair, ...promptsOf(stage, document, pair), teacher }];
    });
  });
}

/** What a stage asks of students, and of the teacher. Stages of documents do not look at the pair. */
export function promptsOf(
  stage: AnyStage,
  document: SourceDocument,
  pair: GenreAudience = { genre: '', audience: '' },
): Pick<StageInput, 'prompt' | 'teacherPrompt'> {
  const input = { document, pair, text: '' };
  return { prompt: stage.studentPrompt(input), teacherPrompt: stage.teacherPrompt(input) };
}

function validationDocuments(recipe: Recipe, { splits, documents }: Collected): SourceDocument[] {
  const wanted = recipe.validate.documents ?? splits.validation.length;
  const drawn = new Set(randomStream(recipe.seed, 'validation-documents').shuffle(splits.validation).slice(0, wanted));
  const list = splits.validation.filter((id) => drawn.has(id)).flatMap((id) => documents.get(id) ?? []);
  if (list.length === 0) {
    throw new UserError('Cannot validate: there are no validation documents', 'Raise splits.validation in the recipe');
  }
  return list;
}

/** Indices 0..4 in order. */
function drawnPairs(recipe: Recipe, docId: string): number[] {
  const indices = Array.from({ length: PAIRS_PER_DOCUMENT }, (_, i) => i);
  const drawn = randomStream(recipe.seed, 'validation-pairs', docId).shuffle(indices);
  return drawn.slice(0, recipe.validate.pairsPerDocument).sort((a, b) => a - b);
}
