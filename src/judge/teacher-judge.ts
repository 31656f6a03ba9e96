/** The LLM that judged the samples judges the students too: on the path of `collect`, so that no judgement is paid twice. */

import { teacherJudgements } from '../collect/teacher-judgements.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Judge } from './judge.ts';

/** @throws UserError (from `score`) for a recorded teacher, which cannot judge anything new */
export function teacherJudge(recipe: Recipe, folder: RunFolder, emit: RunContext['emit']): Judge {
  const { teacher } = recipe;
  const name = teacher.kind === 'openai' ? teacher.model : 'a recording';
  return {
    kind: 'teacher',
    describe: () => ({
      kind: 'teacher',
      description: `The labeler LLM itself (${name}), by the rubric of stage judge.`,
    }),
    async score(items, signal) {
      const texts = items.map(({ id, document, text }) => ({ id, docId: document.id, text, kind: 'validation' }));
      const documents = new Map(items.map(({ document }) => [document.id, document]));
      const judgements = await teacherJudgements(recipe, folder, texts, documents, { emit, signal });
      return items.map(({ id }) => {
        const judgement = judgements.get(id);
        return judgement?.ok ? judgement.value.score : null;
      });
    },
  };
}
