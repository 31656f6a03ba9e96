/** What counts of people's ratings: of several lines of one rater about one output the last. */

import type { RatingLine } from './ledger-lines.ts';

/** By output and rater; ratings that were taken back are left out, skips are not. */
export function currentRatings(lines: readonly RatingLine[]): Map<string, Map<string, RatingLine>> {
  const current = new Map<string, Map<string, RatingLine>>();
  for (const line of lines) {
    const ofOutput = current.get(line.key) ?? new Map<string, RatingLine>();
    if (line.score === null && !line.skipped) ofOutput.delete(line.rater);
    else ofOutput.set(line.rater, line);
    if (ofOutput.size > 0) current.set(line.key, ofOutput);
    else current.delete(line.key);
  }
  return current;
}
