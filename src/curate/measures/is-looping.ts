/** Whether a text is caught in a loop, the commonest failure of a small model. */

import { compressionRatio } from './compression-ratio.ts';
import { loopScore } from './loop-score.ts';

/** Of 1,150 recorded teacher texts none repeats more than 5.1% of its runs; half of the looping student texts pass 20%. */
export const MOST_REPEATED = 0.1;

/** A loop that changes a word each time shows in compression: the recorded teacher texts reach 2.51 (a list of telegrams). */
export const MOST_COMPRESSIBLE = 2.6;

/** Characters at the end of a text that are compressed: loops stand at the end, and the ratio of prose grows with its length. */
const TAIL = 1000;

/** Share (0..1) of the text's 6-word runs that are repeats, and the compression ratio of its end. */
export function loopEvidence(text: string): { repeated: number; compression: number } {
  return { repeated: loopScore(text), compression: compressionRatio(text.slice(-TAIL)) };
}

/** True where more than 10% of the 6-word runs are repeats, or the last 1,000 characters compress beyond 2.6 to 1. */
export function isLooping(text: string): boolean {
  const { repeated, compression } = loopEvidence(text);
  return repeated > MOST_REPEATED || compression > MOST_COMPRESSIBLE;
}
