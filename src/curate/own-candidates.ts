/** Candidates of a stage that the recipe defines: one answer a document. */

import type { Collected } from '../collect/collected.ts';
import type { AnyStage } from '../stage/stage.ts';
import { type Candidate, TRAINING_SPLITS } from './samples.ts';

/** The stage's answers for training and dev documents, in the order of splits.json. */
export function ownCandidates(stage: AnyStage, { splits, documents, answers }: Collected): Candidate[] {
  const ofStage = answers.get(stage.name) ?? new Map<string, unknown>();
  return TRAINING_SPLITS.flatMap((split) =>
    splits[split].flatMap((docId): Candidate[] => {
      const document = documents.get(docId);
      if (document === undefined || !ofStage.has(docId)) return [];
      const text = stage.completion(ofStage.get(docId));
      // Own stages look at the document alone.
      const prompt = stage.studentPrompt({ document, pair: { genre: '', audience: '' }, text: '' });
      const completion = [{ role: 'assistant' as const, content: text }];
      const row = { id: docId, doc_id: docId, stage: stage.name, prompt, completion };
      return [{ row, split, text, source: document.text, score: null, origin: 'teacher' }];
    }),
  );
}
