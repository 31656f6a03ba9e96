/** What one answer of a judge, and what several of them, say of a text. */

import type { Judgement } from '../stage/judge.ts';
import { judgeStage } from '../stage/judge.ts';
import { medianScore } from '../stage/median-score.ts';
import { scoreDistribution } from '../stage/score-distribution.ts';
import type { Parsed } from '../stage/stage.ts';
import type { ResponseLine } from '../store/ledger-lines.ts';

/** Reads an answer, with the distribution of its score where the tokens came back. */
export function judgementOf({ text, digits }: Pick<ResponseLine, 'text' | 'digits'>): Parsed<Judgement> {
  const parsed = judgeStage.parse(text);
  if (!parsed.ok) return parsed;
  const distribution = scoreDistribution(text, digits);
  return distribution === undefined ? parsed : { ok: true, value: { ...parsed.value, distribution } };
}

/** One judgement of several: the median score with the reasons of the first that gave it, and the mean distribution. Undefined for none. */
export function togetherOf(judgements: readonly Judgement[]): Judgement | undefined {
  if (judgements.length === 0) return undefined;
  const score = medianScore(judgements.map((one) => one.score));
  const { analysis } = judgements.find((one) => one.score === score)!;
  const known = judgements.flatMap(({ distribution }) => (distribution ? [distribution] : []));
  if (known.length === 0) return { analysis, score };
  const distribution = known[0]!.map((_, i) => known.reduce((sum, one) => sum + one[i]!, 0) / known.length);
  return { analysis, score, distribution };
}
