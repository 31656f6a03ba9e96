/** An LLM judges the students: on the path of `collect`, so that no judgement is paid twice. */

import { judgesOf, type LlmJudge, validationJudging } from '../collect/judges.ts';
import { type JudgedText, teacherJudgements } from '../collect/teacher-judgements.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { expectedScore } from '../stage/score-distribution.ts';
import type { Judge, JudgementDetail } from './judge.ts';

/**
 * @param stage another judge than that of the recipe's prompts: by the rubric of a stage of the recipe's own
 * @throws UserError (from `score`) for a recorded judge, which cannot judge anything new
 */
export function teacherJudge(
  recipe: Recipe,
  folder: RunFolder,
  emit: RunContext['emit'],
  stage?: LlmJudge['stage'],
): Judge {
  const judging = validationJudging(recipe);
  const judge = judging.teacher ?? recipe.teacher;
  const details = new Map<string, JudgementDetail>();
  return {
    kind: 'teacher',
    describe: () => ({ kind: 'teacher', description: descriptionOf(recipe) }),
    detail: (id) => details.get(id),
    async score(items, signal) {
      const texts = items.map(({ id, document, text }) => ({ id, docId: document.id, text, kind: 'validation' }));
      const documents = new Map(items.map(({ document }) => [document.id, document]));
      const judges = await judgesOf(judging, recipe.teacher, stage);
      const judged = await teacherJudgements(recipe, folder, texts, documents, { emit, signal }, { judges });
      return items.map(({ id }) => {
        const judgement = judged.get(id)!;
        details.set(id, detailOf(judgement));
        return judgement.ok ? judgement.value.score : null;
      });
    },
  };

  function descriptionOf({ teacher }: Recipe): string {
    const name = judge.kind === 'openai' ? judge.model : 'a recording';
    const isLabeler = judge.kind === 'openai' && teacher.kind === 'openai' && judge.model === teacher.model;
    const rubric = judging.rubric === undefined ? '' : ' with a rubric of its own';
    return [
      isLabeler ? `The labeler LLM itself (${name})` : `An LLM apart from the labeler (${name})`,
      stage?.judges === undefined ? `by prompt ${judging.prompt}${rubric}` : `by the rubric of stage ${stage.judges}`,
      ...(judging.repeats > 1 ? [`median of ${judging.repeats} judgements`] : []),
    ]
      .join(', ')
      .concat('.');
  }
}

function detailOf(judged: JudgedText): JudgementDetail {
  const { repeats, second, usd } = judged;
  const distribution = judged.ok ? judged.value.distribution : undefined;
  return {
    scores: repeats.map(({ score }) => score),
    ...(distribution ? { expected: expectedScore(distribution) } : {}),
    ...(second ? { second: second.ok ? second.value.score : null } : {}),
    ...(usd === null ? {} : { usd }),
  };
}
