/** Has the teacher judge texts of anyone, students included, on the same path as `collect`: ledger, retries, paid once. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { JudgeText } from '../corpus/judge-texts.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { type Judgement, judgeStage } from '../stage/judge.ts';
import type { Parsed, SourceDocument } from '../stage/stage.ts';
import { Ledger, ResponseReader } from '../store/ledger.ts';
import { createTeacher } from '../teacher/create-teacher.ts';
import { askAll } from './asker.ts';
import type { CollectParts } from './collect-run.ts';
import { stageJobs } from './jobs.ts';

/**
 * Judgements of `texts` by id, in their order; where there is none, why. Asked in the order given: interleave the arms before.
 *
 * @param documents holds every `docId` of `texts`
 * @throws UserError for a recorded teacher, which cannot judge anything new; else like `collect`
 */
export async function teacherJudgements(
  recipe: Recipe,
  folder: RunFolder,
  texts: readonly JudgeText[],
  documents: ReadonlyMap<string, SourceDocument>,
  context: RunContext,
  parts: CollectParts = {},
): Promise<Map<string, Parsed<Judgement>>> {
  if (recipe.teacher.kind === 'recorded') {
    throw new UserError(
      'Cannot have new texts judged: the teacher of this recipe is a recording',
      'Set validate.judge.kind to local, or name a teacher of kind openai',
    );
  }
  const teacher = parts.teacher ?? (await createTeacher(recipe));
  const jobs = () =>
    stageJobs(judgeStage, {
      teacher: { name: teacher.name, temperature: 0 },
      documents,
      pairs: new Map(),
      texts: new Map(),
      judgeTexts: texts,
    });
  const ledger = await Ledger.open(folder.ledger);
  const reader = new ResponseReader(folder.ledger);
  try {
    const { responses, failures } = ledger.index;
    const missing = [...jobs()].filter(
      ({ request }) => !responses.has(request.key) && !failures.get(request.key)?.final,
    );
    await askAll(missing, {
      recipe,
      teacher,
      ledger,
      signal: context.signal,
      wait: parts.wait ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal }))),
      now: parts.now ?? (() => new Date()),
      onResponse: () => {},
      onFailure: () => {},
    });
    const judgements = new Map<string, Parsed<Judgement>>();
    for (const { request } of jobs()) {
      const position = responses.get(request.key);
      const reason = failures.get(request.key)?.reason ?? 'not asked';
      judgements.set(
        request.item,
        position === undefined ? { ok: false, reason } : judgeStage.parse(reader.read(position).text),
      );
    }
    return judgements;
  } finally {
    reader.close();
    await ledger.close();
  }
}
