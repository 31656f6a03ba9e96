/** Scored dev outputs -> what the students of a round can do, and what they gained over those of the round before. */

import { groupBy } from '../curate/group-by.ts';
import { randomStream } from '../foundation/random.ts';
import { pairedDifference } from '../statistics/paired-difference.ts';
import type { Interval } from '../statistics/wilson.ts';
import { PASSING_SCORE, type ScoredItem } from '../validate/scored-item.ts';
import type { DevStage, RoundOutcome } from './round-outcome.ts';

export type DevOutcome = Omit<RoundOutcome['dev'], 'judge'>;

const isTeacher = ({ arm }: ScoredItem) => arm === 'teacher';
const isStudent = ({ arm }: ScoredItem) => arm.startsWith('student');

/** Shares of usable outputs, by stage and over all of them. */
export function devOutcome(items: readonly ScoredItem[]): DevOutcome {
  const student = items.filter(isStudent);
  const stages = [...groupBy(items, ({ stage }) => stage)].map(([stage, all]): DevStage => {
    const [own, teacher] = [all.filter(isStudent), all.filter(isTeacher)];
    return {
      stage,
      outputs: own.length,
      student: usableShare(own),
      teacher: usableShare(teacher),
      student_rate: passingShare(own),
      teacher_rate: passingShare(teacher),
    };
  });
  return {
    documents: new Set(student.map(({ doc_id }) => doc_id)).size,
    stages,
    usable: usableShare(student),
    teacher: usableShare(items.filter(isTeacher)),
  };
}

/**
 * Usable outputs of this round's students minus those of the round before, on the inputs both answered, with an interval over
 * documents. Null where they share none.
 */
export function devGain(
  items: readonly ScoredItem[],
  before: readonly ScoredItem[],
  { seed, resamples }: { seed: number; resamples: number },
): { gain: number; gain_ci: Interval } | null {
  const input = ({ stage, item }: ScoredItem) => `${stage}\u0000${item}`;
  const earlier = new Map(before.filter(isStudent).map((one) => [input(one), one]));
  const shared = items.filter((one) => isStudent(one) && earlier.has(input(one)));
  if (shared.length === 0) return null;
  const clusters = [...groupBy(shared, ({ doc_id }) => doc_id).values()].map((group) => ({
    difference: group.reduce((sum, one) => sum + usable(one) - usable(earlier.get(input(one))!), 0),
    total: group.length,
  }));
  const { difference, interval } = pairedDifference(clusters, { random: randomStream(seed, 'dev-gain'), resamples });
  return { gain: difference, gain_ci: interval };
}

/**
 * Documents on which students failed, worst first: those with an output that is not usable, by the share of such outputs.
 *
 * @param tried documents in the order that decides between equals
 */
export function failedDocuments(items: readonly ScoredItem[], tried: readonly string[]): string[] {
  const byDocument = groupBy(items.filter(isStudent), ({ doc_id }) => doc_id);
  const failures = (id: string) => 1 - usableShare(byDocument.get(id) ?? []);
  return tried
    .filter((id) => byDocument.has(id) && failures(id) > 0)
    .map((id, at) => ({ id, at, share: failures(id) }))
    .sort((a, b) => b.share - a.share || a.at - b.at)
    .map(({ id }) => id);
}

const usable = (item: ScoredItem) => Number(item.usable === true);

function usableShare(items: readonly ScoredItem[]): number {
  return items.length === 0 ? 0 : items.reduce((sum, item) => sum + usable(item), 0) / items.length;
}

/** Null where nothing was scored: pairs are valid or not, labels right or not. */
function passingShare(items: readonly ScoredItem[]): number | null {
  if (items.every(({ score }) => score === null)) return null;
  return items.filter(({ score }) => score !== null && score >= PASSING_SCORE).length / items.length;
}
