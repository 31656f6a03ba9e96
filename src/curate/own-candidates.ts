/** Candidates of a stage that the recipe defines: one answer a document. */

import type { Collected } from '../collect/collected.ts';
import { togetherOf } from '../collect/judgement-of.ts';
import type { AnyStage } from '../stage/stage.ts';
import { type Candidate, TRAINING_SPLITS } from './samples.ts';

/** The stage's answers, with the score of their judge where there is one, for training and dev documents, in the order of splits.json. */
export function ownCandidates(stage: AnyStage, { splits, documents, answers, judgedAnswers }: Collected): Candidate[] {
  const judgements = judgedAnswers.get(stage.name)?.judgements;
  return TRAINING_SPLITS.flatMap((split) =>
    splits[split].flatMap((docId): Candidate[] => {
      const document = documents.get(docId);
      const answer = answers.get(stage.name)?.get(docId);
      if (document === undefined || answer === undefined) return [];
      const { text, finishReason } = answer;
      const score = togetherOf(judgements?.get(docId) ?? [])?.score ?? null;
      // Own stages look at the document alone.
      const prompt = stage.studentPrompt({ document, pair: { genre: '', audience: '' }, text: '' });
      const completion = [{ role: 'assistant' as const, content: text }];
      const scored = score === null ? {} : { score };
      const row = { id: docId, doc_id: docId, stage: stage.name, prompt, completion, ...scored };
      return [{ row, split, text, source: document.text, finishReason, score, origin: 'teacher' }];
    }),
  );
}
