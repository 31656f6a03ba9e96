/** Has an LLM judge texts of anyone, students included, on the same path as `collect`: ledger, retries, paid once. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { JudgeText } from '../corpus/judge-texts.ts';
import { UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Judgement } from '../stage/judge.ts';
import type { Parsed, SourceDocument } from '../stage/stage.ts';
import { Ledger, ResponseReader } from '../store/ledger.ts';
import { type CollectParts, soleProvider } from './collect-run.ts';
import type { Job } from './job.ts';
import { askJobs } from './job-askers.ts';
import { judgeJobs } from './judge-jobs.ts';
import { judgementOf, togetherOf } from './judgement-of.ts';
import { type Judges, judgesOf, validationJudging } from './judges.ts';

/** What became of one text: the judgement all repeats make together, or why there is none. */
export type JudgedText = Parsed<Judgement> & {
  /** Each repeat that could be read, in order. */
  repeats: Judgement[];
  /** By the second judge, where the recipe names one. */
  second?: Parsed<Judgement>;
  /** US dollars of all its judgements; null where no price is known. */
  usd: number | null;
};

/**
 * Judgements of `texts` by id, in their order; where there is none, why. Asked in the order given: interleave the arms before.
 *
 * @param documents holds every `docId` of `texts`
 * @param parts.judges default: those of validation
 * @throws UserError for a recorded judge, which cannot judge anything new; else like `collect`
 */
export async function teacherJudgements(
  recipe: Recipe,
  folder: RunFolder,
  texts: readonly JudgeText[],
  documents: ReadonlyMap<string, SourceDocument>,
  context: RunContext,
  parts: CollectParts & { judges?: Judges } = {},
): Promise<Map<string, JudgedText>> {
  const judges = parts.judges ?? (await judgesOf(validationJudging(recipe), recipe.teacher));
  if (judges.first.settings.kind === 'recorded') {
    throw new UserError(
      'Cannot have new texts judged: the teacher of this recipe is a recording',
      'Set validate.judge.kind to local, or name a judge.teacher of kind openai',
    );
  }
  const items = () => texts.map(({ id, docId, text }) => ({ item: id, document: documents.get(docId)!, text }));
  const jobs = () => judgeJobs(items, [], judges);
  const ledger = await Ledger.open(folder.ledger);
  const reader = new ResponseReader(folder.ledger);
  try {
    const { responses, failures } = ledger.index;
    await askJobs(jobs, {
      recipe,
      ledger,
      signal: context.signal,
      wait: parts.wait ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal }))),
      now: parts.now ?? (() => new Date()),
      onResponse: () => {},
      onFailure: () => {},
      warn: (message) => context.emit({ type: 'log', level: 'warn', message }),
      providers: soleProvider(parts.teacher, judges.first.settings, recipe),
    });
    const judged = new Map<
      string,
      { repeats: Judgement[]; second?: Parsed<Judgement>; usd: number | null; reason: string }
    >();
    for (const { request, second } of jobs()) {
      const one = judged.get(request.item) ?? { repeats: [], usd: null, reason: 'not asked' };
      judged.set(request.item, one);
      const answer = answerTo(request.key);
      if (answer.usd !== null) one.usd = (one.usd ?? 0) + answer.usd;
      if (second) one.second = answer.judgement;
      else if (answer.judgement.ok) one.repeats.push(answer.judgement.value);
      else one.reason = answer.judgement.reason;
    }
    return new Map(
      [...judged].map(([id, { reason, ...known }]): [string, JudgedText] => {
        const together = togetherOf(known.repeats);
        return [id, { ...known, ...(together ? { ok: true, value: together } : { ok: false, reason }) }];
      }),
    );

    function answerTo(key: Job['request']['key']): { judgement: Parsed<Judgement>; usd: number | null } {
      const position = responses.get(key);
      if (position === undefined) {
        return { judgement: { ok: false, reason: failures.get(key)?.reason ?? 'not asked' }, usd: null };
      }
      const line = reader.read(position);
      return { judgement: judgementOf(line), usd: line.usd };
    }
  } finally {
    reader.close();
    await ledger.close();
  }
}
