/** A cheap judge that has an LLM score what it is unsure of. */

import { HARD_KINDS } from './agreement.ts';
import type { Judge, JudgementDetail, JudgeReport } from './judge.ts';
import type { SureJudge } from './sureness.ts';

/** Names as in table1.json. */
export interface CascadeReport {
  /** Texts whose side of 3 the cheap judge holds for right with a lower probability go to the LLM. */
  below: number;
  /** On held-out student-made and flawed texts: share that would go to the LLM, and of the others the share on the reference judge's side of 3. */
  held_out: { texts: number; share: number; right: number | null };
}

/**
 * Scores by `cheap`, and by `llm` where cheap's sureness lies below `below`. A text's judge depends on the text alone: further arms, chunks and restarts send
 * no other ones. Where the LLM gives no score there is none.
 */
export function cascadeJudge(cheap: SureJudge, llm: Judge, { below }: { below: number }): Judge {
  const details = new Map<string, JudgementDetail>();
  return {
    kind: 'cascade',
    describe: (): JudgeReport => {
      const { description, ...report } = cheap.describe();
      return {
        ...report,
        kind: 'cascade',
        description: `${description} Texts whose side of 3 it holds for right with a probability below ${below} are scored by an LLM instead. ${llm.describe().description}`,
        cascade: { below, held_out: heldOut(cheap, below) },
      };
    },
    detail: (id) => details.get(id),
    async score(items, signal) {
      const sure = await cheap.scoreSurely(items, signal);
      const unsure = items.filter((_, i) => sure[i]!.sureness < below);
      const given = unsure.length > 0 ? await llm.score(unsure, signal) : [];
      const asked = new Map(unsure.map(({ id }, i) => [id, given[i] ?? null]));
      return items.map(({ id }, i) => {
        const { level, sureness } = sure[i]!;
        const isAsked = asked.has(id);
        details.set(id, {
          scores: [level],
          ...(isAsked ? { scores: [], ...llm.detail?.(id) } : {}),
          sureness,
          asked: isAsked,
        });
        return isAsked ? asked.get(id)! : level;
      });
    },
  };
}

function heldOut({ heldOut: texts }: SureJudge, below: number): CascadeReport['held_out'] {
  const hard = texts.filter(({ kind }) => HARD_KINDS.includes(kind));
  const kept = hard.filter(({ sureness }) => sureness >= below);
  const right = kept.filter(({ reference, score }) => reference >= 3 === score >= 3).length;
  return {
    texts: hard.length,
    share: hard.length === 0 ? 0 : 1 - kept.length / hard.length,
    right: kept.length === 0 ? null : right / kept.length,
  };
}
