/** People's ratings from the ledger: which output each one means, and what counts of several. */

import { contentHash } from '../foundation/hash.ts';
import type { Score } from '../stage/judge.ts';
import { medianScore } from '../stage/median-score.ts';
import type { RatedPair } from '../statistics/weighted-kappa.ts';
import { currentRatings } from '../store/current-ratings.ts';
import type { RatingLine } from '../store/ledger-lines.ts';
import type { FurtherScores } from './further-scores.ts';
import { type GenerationLine, outputKey } from './generations.ts';

/** An output as a person rates it. */
export type RatedOutput = Pick<GenerationLine, 'arm' | 'model' | 'stage' | 'item' | 'text'>;

/** The arm of the teacher's texts as they were collected, whose judge is the one that chose the training texts. */
export const COLLECTED_ARM = 'collected';

/** Identity of an output. The text is part of it: what a student wrote before it was trained anew is not rated by that. */
export function ratingKey({ arm, model, stage, item, text }: RatedOutput): string {
  return contentHash({ rating: { arm, model, stage, item, text } });
}

/** The median over raters of each rated output. */
export function ratedScores(lines: readonly RatingLine[]): Map<string, Score> {
  const rated = [...currentRatings(lines)].flatMap(([key, byRater]): [string, Score][] => {
    const scores = [...byRater.values()].flatMap(({ score }) => score ?? []);
    return scores.length > 0 ? [[key, medianScore(scores)]] : [];
  });
  return new Map(rated);
}

/** Every two people about one output, in the order of their names: how far people agree bounds how far a judge can. */
export function doubleRatings(lines: readonly RatingLine[]): RatedPair[] {
  return [...currentRatings(lines).values()].flatMap((byRater) => {
    const rated = [...byRater.values()].filter(({ score }) => score !== null);
    rated.sort((a, b) => (a.rater < b.rater ? -1 : 1));
    return rated.flatMap((first, i) =>
      rated.slice(i + 1).map((second) => ({ docId: first.docId, first: first.score!, second: second.score! })),
    );
  });
}

/** Identity of all that counts, for the inputs of what is made from it; undefined where nobody rated anything. */
export function ratingsHash(lines: readonly RatingLine[]): string | undefined {
  const said = [...currentRatings(lines)].flatMap(([key, byRater]) =>
    [...byRater.values()].filter(({ score }) => score !== null).map(({ rater, score }) => `${key} ${rater} ${score}`),
  );
  return said.length === 0 ? undefined : contentHash(said.sort());
}

/** The ratings of these outputs as scores of their items; undefined where none is rated. */
export function peoplesScores(
  outputs: readonly RatedOutput[],
  lines: readonly RatingLine[],
): FurtherScores | undefined {
  const rated = ratedScores(lines);
  const byOutput = new Map(
    outputs.flatMap((output): [string, Score][] => {
      const score = rated.get(ratingKey(output));
      return score === undefined ? [] : [[outputKey(output), score]];
    }),
  );
  return byOutput.size === 0 ? undefined : (item) => byOutput.get(outputKey(item));
}
