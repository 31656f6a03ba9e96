/** What became of a candidate. */

import type { AnyStage } from '../stage/stage.ts';
import type { Candidate } from './samples.ts';

export interface Decision {
  candidate: Candidate;
  /** Undefined for a kept sample. `rule` is what funnels count by, `reason` what was found. */
  dropped?: { rule: string; reason: string };
}

/** What is decided on: `prose` answers are written anew for each document. */
export type DecidedStage = Pick<AnyStage, 'name' | 'prose'>;

/** Those that nothing has dropped so far. */
export function keptOf(decisions: readonly Decision[]): Decision[] {
  return decisions.filter((decision) => !decision.dropped);
}
