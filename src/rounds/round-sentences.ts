/** What rounds came to, in words. */

import type { Recipe } from '../recipe/schema.ts';
import type { StopReason } from './next-round.ts';
import type { RoundOutcome } from './round-outcome.ts';
import { shrinkageSentence } from './shrinkage.ts';

/** A sentence on what the round did, and one for each way its kept texts were judged again. */
export function roundSentences({ round, documents, added, dev, gain, gain_ci, rejudged }: RoundOutcome): string[] {
  const kept = Object.entries(added).map(([stage, counts]) => `${counts.kept} of ${counts.parsed} ${stage}`);
  const back = documents.failed > 0 ? ` (${documents.failed} that students failed)` : '';
  const gained =
    gain === null ? '' : `, ${points(gain)} points [${gain_ci!.map(points).join(', ')}] over the round before`;
  return [
    `Round ${round}: ${documents.added} new documents${back}, ${kept.join(', ')} kept; ` +
      `usable on dev: students ${percent(dev.usable)}, teacher ${percent(dev.teacher)}${gained}`,
    ...rejudged.map((found) => `Round ${round}: ${shrinkageSentence(found)}`),
  ];
}

/** Why there is no further round, and whose students were taken. */
export function stopSentence(
  { rounds: { minGain, count } }: Pick<Recipe, 'rounds'>,
  done: readonly RoundOutcome[],
  chosen: number,
  stopped: StopReason,
): string {
  const reasons: Record<StopReason, string> = {
    count: 'all are made',
    gain: `the last one gained ${points(done.at(-1)!.gain ?? 0)} points, and rounds.minGain asks for ${minGain}`,
    documents: 'no training documents are left',
    budget: 'the budget pays for no more',
  };
  return `Rounds end after ${done.length} of ${count}: ${reasons[stopped]}. The students of round ${chosen} are those of the run`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

function points(share: number): string {
  const text = (100 * share).toFixed(1);
  return Number(text) > 0 ? `+${text}` : text.replace('-0.0', '0.0');
}
