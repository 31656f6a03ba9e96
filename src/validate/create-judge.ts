/** The judge of a validation: the LLM teacher, or a local judge fitted here on the teacher's judgements. */

import type { Collected } from '../collect/collected.ts';
import { teacherJudgements } from '../collect/teacher-judgements.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { agreement } from '../judge/agreement.ts';
import type { Judge } from '../judge/judge.ts';
import { fitLocalJudge, type JudgeSample, localJudge, localScores, saveLocalModel } from '../judge/local-judge.ts';
import type { Recipe } from '../recipe/schema.ts';

/** The judge the recipe asks for; a local one is fitted on training documents and tried on held-out ones. */
export function createJudge(
  recipe: Recipe,
  folder: RunFolder,
  collected: Collected,
  context: RunContext,
  modelPath: string,
): Judge {
  if (recipe.validate.judge.kind === 'teacher') return teacherJudge(recipe, folder, collected, context);
  const judged = judgedTexts(collected);
  const held = new Set([...collected.splits.dev, ...collected.splits.validation]);
  const model = fitLocalJudge(
    judged.filter(({ document }) => !held.has(document.id)),
    { seed: recipe.seed },
  );
  saveLocalModel(modelPath, model);
  const tested = judged.filter(({ document }) => held.has(document.id));
  const scores = localScores(model, tested);
  const report = agreement(
    tested.map(({ document, kind, score }, i) => ({
      docId: document.id,
      kind,
      reference: score,
      score: scores[i]!.level,
    })),
    { seed: recipe.seed, resamples: recipe.validate.resamples },
  );
  const fitted = judged.length - tested.length;
  const description = `A local judge: regression on surface features, fitted to ${fitted} judgements of ${collected.teacher}`;
  return localJudge(model, { description, ...report });
}

/** Every text the teacher has judged: its own reformulations, and the recipe's judge texts. */
export function judgedTexts({ documents, texts, judgeTexts, judgements }: Collected): JudgeSample[] {
  const sample = (id: string, docId: string, text: string, kind: string): JudgeSample[] => {
    const document = documents.get(docId);
    const first = judgements.get(id)?.[0];
    return document && first ? [{ document, text, score: first.score, kind }] : [];
  };
  return [
    ...[...texts].flatMap(([item, { docId, text }]) => sample(item, docId, text, 'base')),
    ...judgeTexts.flatMap(({ id, docId, text, kind }) => sample(id, docId, text, kind)),
  ];
}

function teacherJudge(recipe: Recipe, folder: RunFolder, { documents }: Collected, context: RunContext): Judge {
  return {
    kind: 'teacher',
    describe: () => ({ kind: 'teacher', description: 'The teacher itself, as an LLM judge' }),
    score: async (items) => {
      const texts = items.map(({ id, document, text }) => ({ id, docId: document.id, text, kind: 'student' as const }));
      const judgements = await teacherJudgements(recipe, folder, texts, documents, context);
      return items.map(({ id }) => {
        const judgement = judgements.get(id);
        return judgement?.ok ? judgement.value.score : null;
      });
    },
  };
}
