/** How far the judge of a run can be relied on, as far as collect can tell: canaries, repeats, second judge. */

import type { Judgement } from '../stage/judge.ts';
import { type CanaryKind, type CanaryReport, canaryReport, canarySentence } from './canaries.ts';

/** Names as in status.json. Parts that were not asked for are absent. */
export interface JudgingReport {
  canaries?: CanaryReport;
  /** Texts judged several times: share with equal scores, and the standard deviation of the scores of one text. */
  repeats?: { texts: number; equal: number; spread: number };
  /** Texts that both judges scored: share with equal scores, and by how much the second is kinder. */
  second?: { texts: number; equal: number; shift: number };
}

/** Below this share of caught canaries, a judge is not reading. */
export const CANARIES_CAUGHT = 0.8;

export interface JudgedTwice {
  judgements: ReadonlyMap<string, readonly Judgement[]>;
  secondJudgements: ReadonlyMap<string, Judgement>;
  canaries: readonly { kind: CanaryKind; score: number | null }[];
}

export function judgingReport({ judgements, secondJudgements, canaries }: JudgedTwice): JudgingReport {
  const caught = canaryReport(canaries);
  const repeated = [...judgements.values()].filter((given) => given.length > 1).map((given) => given.map(scoreOf));
  const pairs = [...secondJudgements].flatMap(([id, { score }]) => {
    const first = judgements.get(id);
    return first === undefined ? [] : [{ first: mean(first.map(scoreOf)), equal: first[0]!.score === score, score }];
  });
  return {
    ...(caught && { canaries: caught }),
    ...(repeated.length > 0 && {
      repeats: {
        texts: repeated.length,
        equal: mean(repeated.map((scores) => Number(new Set(scores).size === 1))),
        spread: spreadOf(repeated),
      },
    }),
    ...(pairs.length > 0 && {
      second: {
        texts: pairs.length,
        equal: mean(pairs.map(({ equal }) => Number(equal))),
        shift: mean(pairs.map(({ first, score }) => score - first)),
      },
    }),
  };
}

/** Pooled over texts: sqrt(sum of (score - mean of its text)^2 / sum of (scores of the text - 1)). */
export function spreadOf(repeated: readonly (readonly number[])[]): number {
  let squares = 0;
  let freedom = 0;
  for (const scores of repeated) {
    const centre = mean(scores);
    for (const score of scores) squares += (score - centre) ** 2;
    freedom += scores.length - 1;
  }
  return Math.sqrt(squares / freedom);
}

/** A sentence a finding. */
export function judgingSentences({ canaries, repeats, second }: JudgingReport): string[] {
  return [
    ...(canaries ? [canarySentence(canaries)] : []),
    ...(repeats
      ? [`${repeats.texts} texts judged again, ${percent(repeats.equal)} alike, spread ${repeats.spread.toFixed(2)}`]
      : []),
    ...(second
      ? [`second judge equal on ${percent(second.equal)} of ${second.texts} texts, ${signed(second.shift)} on average`]
      : []),
  ];
}

const scoreOf = ({ score }: Judgement): number => score;
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
const signed = (value: number) => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
